using System.Collections.Generic;
using System.Data.Odbc;

namespace Guestbook
{
    class Entry
    {
        public long Id;
        public string Author;
        public string Text;
        public string WrittenAt;
    }

    /// <summary>What a visitor sees, as of one moment.</summary>
    class Page
    {
        public long Visits;
        public long Total;
        public string Time;
        public string Version;
        public List<Entry> Entries = new List<Entry>();
    }

    /// <summary>The guestbook's questions to its database.</summary>
    class Book
    {
        const string Iso = "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'";
        const string Visit =
            "UPDATE visits SET total = total + 1 RETURNING total, (SELECT count(*) FROM entries), "
            + "to_char(now() AT TIME ZONE 'UTC', " + Iso + "), current_setting('server_version')";
        const string Last =
            "SELECT id, author, text, to_char(written_at AT TIME ZONE 'UTC', " + Iso + ") "
            + "FROM entries ORDER BY id DESC LIMIT 10";
        const string Insert =
            "INSERT INTO entries (author, text) VALUES (?, ?) "
            + "RETURNING id, author, text, to_char(written_at AT TIME ZONE 'UTC', " + Iso + ")";

        readonly Database database;

        public Book(Database database) { this.database = database; }

        /// <summary>Count a visit and read what it shows.</summary>
        public Page Look()
        {
            return database.Run(opened =>
            {
                var page = new Page();
                using (var command = new OdbcCommand(Visit, opened))
                using (var row = command.ExecuteReader())
                {
                    row.Read();
                    page.Visits = row.GetInt64(0);
                    page.Total = row.GetInt64(1);
                    page.Time = row.GetString(2);
                    page.Version = row.GetString(3);
                }
                using (var command = new OdbcCommand(Last, opened))
                using (var rows = command.ExecuteReader())
                    while (rows.Read())
                        page.Entries.Add(Read(rows));
                return page;
            });
        }

        /// <summary>Keep an entry that was checked before.</summary>
        public Entry Write(string author, string text)
        {
            return database.Run(opened =>
            {
                using (var command = new OdbcCommand(Insert, opened))
                {
                    command.Parameters.Add("author", OdbcType.NVarChar).Value = author;
                    command.Parameters.Add("text", OdbcType.NVarChar).Value = text;
                    using (var row = command.ExecuteReader())
                    {
                        row.Read();
                        return Read(row);
                    }
                }
            });
        }

        static Entry Read(OdbcDataReader row)
        {
            return new Entry
            {
                Id = row.GetInt64(0), Author = row.GetString(1), Text = row.GetString(2), WrittenAt = row.GetString(3),
            };
        }
    }
}
