using System;
using System.Data.Odbc;
using System.IO;
using System.Threading;

namespace Guestbook
{
    /// <summary>The database could not do what was asked. The message is for everybody: it holds no secret.</summary>
    class DatabaseException : Exception
    {
        public DatabaseException(string message, Exception cause) : base(message, cause) { }
    }

    /// <summary>Connections to PostgreSQL by ODBC: one for each piece of work, so a restarted server is no event.</summary>
    class Database
    {
        const int AtOnce = 8;
        const int WaitMs = 2000;
        const int ConnectS = 2;
        const string MissingTable = "42P01";

        // Two services that start at once would both make the tables.
        const string Schema = @"
            BEGIN;
            SELECT pg_advisory_xact_lock(702301);
            CREATE TABLE IF NOT EXISTS entries (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                author varchar(60) NOT NULL,
                text varchar(500) NOT NULL,
                written_at timestamptz NOT NULL DEFAULT now());
            CREATE TABLE IF NOT EXISTS visits (
                the_only boolean PRIMARY KEY DEFAULT true CHECK (the_only),
                total bigint NOT NULL);
            INSERT INTO visits (total) VALUES (0) ON CONFLICT DO NOTHING;
            COMMIT;";

        readonly Connection connection;
        readonly SemaphoreSlim places = new SemaphoreSlim(AtOnce);

        public Database(Connection connection) { this.connection = connection; }

        /// <summary>Make the tables, and try again for as long as the database is not there.</summary>
        public void PrepareUntilDone()
        {
            for (var wait = 100; ; wait = Math.Min(2 * wait, 2000))
            {
                try
                {
                    Open(Prepare);
                    Log.Info("database ready");
                    return;
                }
                catch (DatabaseException error)
                {
                    Log.Warning("database not ready", "reason", error.Message);
                    Thread.Sleep(wait);
                }
            }
        }

        /// <summary>Do some work on a connection. Tables that vanished with their database are made anew.</summary>
        public T Run<T>(Func<OdbcConnection, T> work)
        {
            return Open(opened =>
            {
                try
                {
                    return work(opened);
                }
                catch (OdbcException error) when (State(error) == MissingTable)
                {
                    Prepare(opened);
                    return work(opened);
                }
            });
        }

        T Open<T>(Func<OdbcConnection, T> work)
        {
            if (!places.Wait(WaitMs))
                throw new DatabaseException("too much to do", null);
            try
            {
                using (var opened = new OdbcConnection(connection.Odbc()) { ConnectionTimeout = ConnectS })
                {
                    opened.Open();
                    return work(opened);
                }
            }
            catch (OdbcException error)
            {
                throw new DatabaseException(Reason(error), error);
            }
            catch (DllNotFoundException error)
            {
                throw new DatabaseException("the ODBC library is missing from this image", error);
            }
            catch (Exception error) when (error is IOException || error is UnauthorizedAccessException)
            {
                throw new DatabaseException("the file with the database's password cannot be read", error);
            }
            finally
            {
                places.Release();
            }
        }

        static bool Prepare(OdbcConnection opened)
        {
            using (var command = new OdbcCommand(Schema, opened))
                command.ExecuteNonQuery();
            return true;
        }

        /// <summary>The driver's own text may repeat what it was given; only its meaning is passed on.</summary>
        static string Reason(OdbcException error)
        {
            var text = error.Message;
            if (text.Contains("authentication failed"))
                return "the database refused the login";
            if (text.Contains("starting up") || text.Contains("shutting down"))
                return "the database is starting or stopping";
            if (State(error).StartsWith("08", StringComparison.Ordinal))
                return "the database does not answer";
            return "the database failed with SQLSTATE " + State(error);
        }

        static string State(OdbcException error) { return error.Errors.Count > 0 ? error.Errors[0].SQLState : ""; }
    }
}
