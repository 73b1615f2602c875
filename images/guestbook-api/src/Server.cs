using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Text;
using System.Threading;

namespace Guestbook
{
    /// <summary>HTTP in front of the routes; one pool thread a request.</summary>
    class Server
    {
        readonly HttpListener listener = new HttpListener();
        readonly Routes routes;
        int busy;
        volatile bool stopping;

        public Server(int port, Routes routes)
        {
            this.routes = routes;
            listener.Prefixes.Add($"http://*:{port}/");
            listener.IgnoreWriteExceptions = true;
        }

        public void Start()
        {
            listener.Start();
            new Thread(Accept) { IsBackground = true }.Start();
        }

        /// <summary>Take nothing new, let running requests end for that long; true when all did.</summary>
        public bool Stop(int limitMs)
        {
            stopping = true;
            var watch = Stopwatch.StartNew();
            while (Volatile.Read(ref busy) > 0 && watch.ElapsedMilliseconds < limitMs)
                Thread.Sleep(10);
            return Volatile.Read(ref busy) == 0;
        }

        void Accept()
        {
            while (!stopping)
            {
                try
                {
                    var context = listener.GetContext();
                    Interlocked.Increment(ref busy);
                    ThreadPool.QueueUserWorkItem(_ => Serve(context));
                }
                catch (Exception error) when (error is HttpListenerException || error is IOException)
                {
                    Log.Warning("accept", "reason", error.GetType().Name);
                }
            }
        }

        void Serve(HttpListenerContext context)
        {
            var watch = Stopwatch.StartNew();
            try
            {
                var answer = AnswerTo(context.Request);
                Send(context, answer);
                Note(context.Request, answer.Status, watch.ElapsedMilliseconds);
            }
            catch (Exception error) // the client left; there is nobody to tell
            {
                Log.Debug("answer not sent", "kind", error.GetType().Name);
                context.Response.Abort();
            }
            finally
            {
                Interlocked.Decrement(ref busy);
            }
        }

        Answer AnswerTo(HttpListenerRequest request)
        {
            try
            {
                return routes.Handle(request);
            }
            catch (Exception error)
            {
                Log.Error("failed", "path", request.RawUrl, "kind", error.GetType().Name, "at", error.StackTrace);
                return Answer.Problem(500, "this service failed");
            }
        }

        static void Send(HttpListenerContext context, Answer answer)
        {
            var response = context.Response;
            var body = Encoding.UTF8.GetBytes(answer.Body);
            response.StatusCode = answer.Status;
            response.ContentType = answer.Type;
            response.Headers["Cache-Control"] = "no-store";
            response.Headers["X-Content-Type-Options"] = "nosniff";
            if (answer.Location != null) response.Headers["Location"] = answer.Location;
            if (answer.Allow != null) response.Headers["Allow"] = answer.Allow;
            response.ContentLength64 = body.Length;
            if (context.Request.HttpMethod != "HEAD")
                response.OutputStream.Write(body, 0, body.Length);
            response.Close();
        }

        static void Note(HttpListenerRequest request, int status, long ms)
        {
            var path = request.RawUrl.Split('?')[0];
            var level = status >= 500 ? LogLevel.Warning : path == "/health" ? LogLevel.Debug : LogLevel.Info;
            Log.Write(level, "request", "method", request.HttpMethod, "path", path, "status", status.ToString(),
                "ms", ms.ToString());
        }
    }
}
