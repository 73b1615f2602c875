using System;
using System.Reflection;
using System.Threading;
using Mono.Unix;
using Mono.Unix.Native;

[assembly: AssemblyTitle("guestbook-api")]
[assembly: AssemblyVersion("1.0.0")]

namespace Guestbook
{
    /// <summary>Starts the service and ends it on SIGTERM or SIGINT.</summary>
    static class Program
    {
        const int DrainMs = 2000;

        static int Main()
        {
            var signals = new[] { new UnixSignal(Signum.SIGTERM), new UnixSignal(Signum.SIGINT) };
            Settings settings;
            try
            {
                settings = Settings.Load("/app/appsettings.json", Environment.GetEnvironmentVariables());
            }
            catch (SettingsException error)
            {
                Log.Error("settings", "reason", error.Message);
                return 2;
            }
            Log.Level = settings.LogLevel;
            ThreadPool.SetMinThreads(16, 16);
            ThreadPool.SetMaxThreads(48, 48);

            var database = new Database(settings.Connection);
            var server = new Server(settings.Port, new Routes(new Book(database), new Health(database)));
            server.Start();
            Log.Info("started", "port", settings.Port.ToString(), "database", settings.Connection.ToString());
            new Thread(() => database.PrepareUntilDone()) { IsBackground = true }.Start();

            UnixSignal.WaitAny(signals);
            Log.Info("stopping");
            var drained = server.Stop(DrainMs);
            Log.Info("stopped", "drained", drained ? "yes" : "no");
            Syscall._exit(0); // not held up by a thread that waits for the database
            return 0;
        }
    }
}
