using System;
using System.Data.Odbc;
using System.Threading.Tasks;

namespace Guestbook
{
    /// <summary>Whether a query works now. Questions that come while one is being answered share its answer.</summary>
    class Health
    {
        const int LimitMs = 1800;

        readonly Database database;
        readonly object gate = new object();
        Task<string> running;

        public Health(Database database) { this.database = database; }

        /// <summary>null when the database answers, else why not; never later than in two seconds.</summary>
        public string Problem()
        {
            Task<string> task;
            lock (gate)
            {
                if (running == null || running.IsCompleted)
                    running = Task.Factory.StartNew<string>(Ask, TaskCreationOptions.LongRunning);
                task = running;
            }
            return task.Wait(LimitMs) ? task.Result : "the database does not answer";
        }

        string Ask()
        {
            try
            {
                return database.Run<string>(opened =>
                {
                    using (var command = new OdbcCommand("SELECT total FROM visits", opened))
                        return command.ExecuteScalar() == null ? "the tables are empty" : null;
                });
            }
            catch (DatabaseException error)
            {
                return error.Message;
            }
            catch (Exception error)
            {
                Log.Error("health", "reason", error.GetType().Name);
                return "the check itself failed";
            }
        }
    }
}
