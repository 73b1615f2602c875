using System;
using System.Json;

namespace Guestbook
{
    enum LogLevel { Debug, Info, Warning, Error }

    /// <summary>One JSON object a line on standard output.</summary>
    static class Log
    {
        static readonly object gate = new object();

        public static LogLevel Level = LogLevel.Info;

        public static void Debug(string happened, params string[] fields) { Write(LogLevel.Debug, happened, fields); }
        public static void Info(string happened, params string[] fields) { Write(LogLevel.Info, happened, fields); }
        public static void Warning(string happened, params string[] fields) { Write(LogLevel.Warning, happened, fields); }
        public static void Error(string happened, params string[] fields) { Write(LogLevel.Error, happened, fields); }

        /// <summary>`fields` are names and values by turns.</summary>
        public static void Write(LogLevel level, string happened, params string[] fields)
        {
            if (level < Level)
                return;
            var line = new Json().Add("time", DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ"))
                .Add("level", level.ToString().ToLowerInvariant()).Add("event", happened);
            for (var i = 0; i + 1 < fields.Length; i += 2)
                line.Add(fields[i], fields[i + 1]);
            lock (gate)
            {
                Console.Out.WriteLine(line.ToString());
                Console.Out.Flush();
            }
        }
    }

    /// <summary>A JSON object whose fields stay in the order they were added.</summary>
    class Json
    {
        readonly System.Collections.Generic.List<string> fields = new System.Collections.Generic.List<string>();

        public Json Add(string name, string value) { return Raw(name, Quoted(value)); }
        public Json Add(string name, long value) { return Raw(name, value.ToString()); }
        public Json Add(string name, System.Collections.Generic.IEnumerable<Json> list)
        {
            return Raw(name, "[" + string.Join(",", list) + "]");
        }

        public override string ToString() { return "{" + string.Join(",", fields) + "}"; }

        Json Raw(string name, string json)
        {
            fields.Add(Quoted(name) + ":" + json);
            return this;
        }

        static string Quoted(string text) { return new JsonPrimitive(text ?? "").ToString(); }
    }
}
