using System;
using System.Data.Common;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Guestbook
{
    /// <summary>Where the database is and who logs in, from a connection string as Npgsql knows it.</summary>
    class Connection
    {
        static readonly string[] Known = { "host", "port", "database", "username", "password", "password file" };

        readonly DbConnectionStringBuilder given;

        Connection(DbConnectionStringBuilder given) { this.given = given; }

        public static Connection Parse(string text)
        {
            var given = new DbConnectionStringBuilder();
            try
            {
                given.ConnectionString = text;
            }
            catch (ArgumentException)
            {
                throw new SettingsException("ConnectionStrings:Default: expected Name=Value pairs with ; between them");
            }
            var found = new Connection(given);
            found.Check();
            return found;
        }

        /// <summary>For psqlODBC. The password is read at each call: a changed file counts at the next connection.</summary>
        public string Odbc()
        {
            var parts = new[]
            {
                "Driver={PostgreSQL Unicode}",
                "Server=" + Get("host"),
                "Port=" + (Get("port") ?? "5432"),
                "Database=" + Get("database"),
                "Uid=" + Get("username"),
                "Pwd={" + Password().Replace("}", "}}") + "}", // psqlODBC takes braces from this one only
                // A server that vanished without a word is noticed; every statement ends.
                "pqopt={tcp_user_timeout=2000 application_name=guestbook-api "
                    + "options='-c statement_timeout=5000 -c lock_timeout=2000'}",
            };
            return string.Join(";", parts) + ";";
        }

        /// <summary>Without the password.</summary>
        public override string ToString()
        {
            return $"{Get("username")}@{Get("host")}:{Get("port") ?? "5432"}/{Get("database")}";
        }

        void Check()
        {
            foreach (string key in given.Keys)
                if (!Known.Contains(key.ToLowerInvariant()))
                    throw new SettingsException($"ConnectionStrings:Default: unknown part; known: {string.Join(", ", Known)}");
            foreach (var key in new[] { "host", "database", "username" })
                if (!Regex.IsMatch(Get(key) ?? "", @"^[A-Za-z0-9_.-]+\z"))
                    throw new SettingsException($"ConnectionStrings:Default: {key}: expected letters, digits, _, . and -");
            if (!Regex.IsMatch(Get("port") ?? "5432", @"^[0-9]{1,5}\z"))
                throw new SettingsException("ConnectionStrings:Default: port: expected a number");
            if ((Get("password") == null) == (Get("password file") == null))
                throw new SettingsException("ConnectionStrings:Default: give one of Password and Password File");
        }

        string Password()
        {
            if (Get("password file") == null)
                return Get("password");
            var text = File.ReadAllText(Get("password file"));
            return text.EndsWith("\n", StringComparison.Ordinal) ? text.Substring(0, text.Length - 1) : text;
        }

        string Get(string key)
        {
            object value;
            return given.TryGetValue(key, out value) ? (string)value : null;
        }
    }
}
