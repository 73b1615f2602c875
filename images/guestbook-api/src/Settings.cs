using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Json;

namespace Guestbook
{
    /// <summary>Settings that cannot be used; the message names the setting and holds no value of a secret.</summary>
    class SettingsException : Exception
    {
        public SettingsException(string message) : base(message) { }
    }

    /// <summary>appsettings.json with the environment on top: `Logging__Level` is `Logging:Level`, in any case.</summary>
    class Settings
    {
        public Connection Connection { get; private set; }
        public int Port { get; private set; }
        public LogLevel LogLevel { get; private set; }

        public static Settings Load(string file, IDictionary environment)
        {
            var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            try
            {
                Flatten(values, "", JsonValue.Parse(File.ReadAllText(file)));
            }
            catch (Exception error) when (error is IOException || error is ArgumentException || error is FormatException)
            {
                throw new SettingsException($"{file}: expected a readable JSON object");
            }
            foreach (DictionaryEntry variable in environment)
                values[((string)variable.Key).Replace("__", ":")] = (string)variable.Value;
            return new Settings
            {
                Connection = Connection.Parse(Required(values, "ConnectionStrings:Default")),
                Port = ParsePort(Required(values, "Server:Port")),
                LogLevel = ParseLevel(Required(values, "Logging:Level")),
            };
        }

        static void Flatten(IDictionary<string, string> values, string prefix, JsonValue value)
        {
            if (value is JsonObject)
                foreach (KeyValuePair<string, JsonValue> item in (JsonObject)value)
                    Flatten(values, prefix == "" ? item.Key : prefix + ":" + item.Key, item.Value);
            else if (value is JsonPrimitive)
                values[prefix] = value.JsonType == JsonType.String ? (string)value : value.ToString();
        }

        static string Required(IDictionary<string, string> values, string key)
        {
            string value;
            if (!values.TryGetValue(key, out value) || value.Trim() == "")
                throw new SettingsException($"{key}: missing; set the variable {key.Replace(":", "__")}");
            return value;
        }

        static int ParsePort(string text)
        {
            int port;
            if (!int.TryParse(text, out port) || port < 1 || port > 65535)
                throw new SettingsException($"Server:Port: {text}, expected a number from 1 to 65535");
            return port;
        }

        static LogLevel ParseLevel(string text)
        {
            LogLevel level;
            if (!Enum.TryParse(text, true, out level) || !Enum.IsDefined(typeof(LogLevel), level))
                throw new SettingsException($"Logging:Level: {text}, expected debug, info, warning or error");
            return level;
        }
    }
}
