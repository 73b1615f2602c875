using System;
using System.Linq;
using System.Net;
using System.Reflection;

namespace Guestbook
{
    /// <summary>An answer to one request.</summary>
    class Answer
    {
        public int Status = 200;
        public string Type = "application/json; charset=utf-8";
        public string Body = "";
        public string Location;
        public string Allow;

        public static Answer Problem(int status, string reason)
        {
            return new Answer { Status = status, Body = new Json().Add("error", reason).ToString() };
        }
    }

    /// <summary>Which request gets which answer.</summary>
    class Routes
    {
        static readonly string Version = Assembly.GetExecutingAssembly().GetName().Version.ToString(3);

        readonly Book book;
        readonly Health health;

        public Routes(Book book, Health health)
        {
            this.book = book;
            this.health = health;
        }

        public Answer Handle(HttpListenerRequest request)
        {
            var path = request.RawUrl.Split('?')[0];
            try
            {
                switch (path)
                {
                    case "/": return Reading(request, Summary);
                    case "/fragment": return Reading(request, Html);
                    case "/health": return Reading(request, Check);
                    case "/entries": return request.HttpMethod == "POST" ? Write(request) : NotAllowed("POST");
                    default: return Answer.Problem(404, "there is nothing here");
                }
            }
            catch (BadRequest error)
            {
                return Answer.Problem(error.Status, error.Message);
            }
            catch (DatabaseException error)
            {
                Log.Warning("database", "reason", error.Message);
                return Answer.Problem(503, error.Message);
            }
        }

        static Answer Reading(HttpListenerRequest request, Func<Answer> answer)
        {
            return request.HttpMethod == "GET" || request.HttpMethod == "HEAD" ? answer() : NotAllowed("GET, HEAD");
        }

        static Answer NotAllowed(string allowed)
        {
            return new Answer { Status = 405, Allow = allowed, Body = "{\"error\":\"not with this method\"}" };
        }

        Answer Summary()
        {
            var page = book.Look();
            var json = new Json().Add("service", "guestbook-api").Add("version", Version)
                .Add("host", Environment.MachineName).Add("visits", page.Visits).Add("total", page.Total)
                .Add("time", page.Time).Add("database", "PostgreSQL " + page.Version)
                .Add("entries", page.Entries.Select(AsJson));
            return new Answer { Body = json.ToString() };
        }

        Answer Html()
        {
            return new Answer { Type = "text/html; charset=utf-8", Body = Fragment.Render(book.Look()) };
        }

        Answer Check()
        {
            var problem = health.Problem();
            return problem == null
                ? new Answer { Body = "{\"status\":\"ok\"}" }
                : new Answer { Status = 503, Body = new Json().Add("status", "unavailable").Add("reason", problem).ToString() };
        }

        Answer Write(HttpListenerRequest request)
        {
            var site = request.Headers["Sec-Fetch-Site"];
            if (site != null && site != "same-origin" && site != "none")
                return Answer.Problem(403, "a form of another site");
            var sent = Submission.Read(request);
            var entry = book.Write(sent.Author, sent.Text);
            return sent.IsForm
                ? new Answer { Status = 303, Location = "../" } // right under any prefix that a proxy takes off
                : new Answer { Status = 201, Body = AsJson(entry).ToString() };
        }

        static Json AsJson(Entry entry)
        {
            return new Json().Add("id", entry.Id).Add("author", entry.Author).Add("text", entry.Text)
                .Add("written_at", entry.WrittenAt);
        }
    }
}
