using System;
using System.Collections.Generic;
using System.IO;
using System.Json;
using System.Linq;
using System.Net;
using System.Text;

namespace Guestbook
{
    /// <summary>What a visitor sent cannot be kept; the message says why.</summary>
    class BadRequest : Exception
    {
        public readonly int Status;

        public BadRequest(string message, int status = 400) : base(message) { Status = status; }
    }

    /// <summary>An entry as a visitor sent it: JSON, or a form of the page.</summary>
    class Submission
    {
        public const int MostText = 500;
        public const int MostAuthor = 60;
        const int MostBytes = 16384;
        const int MostDepth = 4;
        static readonly Encoding Utf8 = new UTF8Encoding(false, true);

        public string Author;
        public string Text;
        public bool IsForm;

        /// <summary>Read and check a request; BadRequest when there is nothing to keep in it.</summary>
        public static Submission Read(HttpListenerRequest request)
        {
            var type = (request.ContentType ?? "").Split(';')[0].Trim().ToLowerInvariant();
            if (type != "application/json" && type != "application/x-www-form-urlencoded")
                throw new BadRequest("send application/json or a form", 415);
            var body = Body(request);
            var fields = type == "application/json" ? FromJson(body) : FromForm(body);
            return new Submission
            {
                Author = Checked(fields, "author", MostAuthor) ?? "anonymous",
                Text = Checked(fields, "text", MostText) ?? throw new BadRequest("text: is missing"),
                IsForm = type != "application/json",
            };
        }

        static string Checked(IDictionary<string, string> fields, string name, int most)
        {
            string value;
            if (!fields.TryGetValue(name, out value) || value.Trim() == "")
                return null;
            value = value.Trim().Replace("\r\n", "\n");
            if (value.Count(one => !char.IsLowSurrogate(one)) > most)
                throw new BadRequest($"{name}: longer than {most} characters");
            if (value.Any(one => char.IsControl(one) && one != '\n' && one != '\t'))
                throw new BadRequest($"{name}: holds control characters");
            try
            {
                Utf8.GetByteCount(value);
            }
            catch (EncoderFallbackException)
            {
                throw new BadRequest($"{name}: is not Unicode text");
            }
            return value;
        }

        static string Body(HttpListenerRequest request)
        {
            if (request.ContentLength64 > MostBytes)
                throw new BadRequest("too much text", 413);
            var bytes = new byte[MostBytes + 1];
            int count = 0, read;
            while ((read = request.InputStream.Read(bytes, count, bytes.Length - count)) > 0)
                if ((count += read) > MostBytes)
                    throw new BadRequest("too much text", 413);
            try
            {
                return Utf8.GetString(bytes, 0, count);
            }
            catch (DecoderFallbackException)
            {
                throw new BadRequest("the body is not UTF-8");
            }
        }

        static IDictionary<string, string> FromJson(string body)
        {
            JsonValue value = null;
            try
            {
                if (Depth(body) <= MostDepth)
                    value = JsonValue.Parse(body);
            }
            catch (Exception error) when (!(error is OutOfMemoryException))
            {
                Log.Debug("bad json", "kind", error.GetType().Name);
            }
            if (!(value is JsonObject))
                throw new BadRequest("the body is not a JSON object");
            return ((JsonObject)value).Where(item => item.Value != null && item.Value.JsonType == JsonType.String)
                .ToDictionary(item => item.Key, item => (string)item.Value);
        }

        /// <summary>How deep brackets nest: the parser calls itself for each, and its stack has an end.</summary>
        static int Depth(string json)
        {
            int depth = 0, most = 0;
            var inString = false;
            for (var i = 0; i < json.Length; i++)
            {
                if (json[i] == '\\' && inString) i++;
                else if (json[i] == '"') inString = !inString;
                else if (!inString && (json[i] == '[' || json[i] == '{')) most = Math.Max(most, ++depth);
                else if (!inString && (json[i] == ']' || json[i] == '}')) depth--;
            }
            return most;
        }

        static IDictionary<string, string> FromForm(string body)
        {
            var fields = new Dictionary<string, string>();
            foreach (var pair in body.Split('&'))
            {
                var parts = pair.Split(new[] { '=' }, 2);
                if (parts.Length == 2)
                    fields[WebUtility.UrlDecode(parts[0])] = WebUtility.UrlDecode(parts[1]);
            }
            return fields;
        }
    }
}
