using System.Net;
using System.Text;

namespace Guestbook
{
    /// <summary>The part of the web page that comes from the database, for the web server to put into its page.</summary>
    static class Fragment
    {
        public static string Render(Page page)
        {
            var html = new StringBuilder();
            html.Append("<dl class=\"figures\">")
                .Append(Figure("Visits", page.Visits.ToString()))
                .Append(Figure("Entries", page.Total.ToString()))
                .Append(Figure("Database", "PostgreSQL " + page.Version.Split(' ')[0]))
                .Append(Figure("Its clock", Moment(page.Time)))
                .Append("</dl>\n");
            if (page.Entries.Count == 0)
                return html.Append("<p class=\"notice\">Nobody has written yet. Be the first.</p>\n").ToString();
            html.Append("<ol class=\"entries\">\n");
            foreach (var entry in page.Entries)
                html.Append("<li><p>").Append(WebUtility.HtmlEncode(entry.Text)).Append("</p><footer><b>")
                    .Append(WebUtility.HtmlEncode(entry.Author)).Append("</b> ").Append(Moment(entry.WrittenAt))
                    .Append("</footer></li>\n");
            return html.Append("</ol>\n").ToString();
        }

        static string Figure(string name, string value)
        {
            var html = value.StartsWith("<time") ? value : WebUtility.HtmlEncode(value);
            return $"<div><dt>{name}</dt><dd>{html}</dd></div>";
        }

        static string Moment(string iso)
        {
            var shown = iso.Replace("T", " ").Replace("Z", " UTC");
            return $"<time datetime=\"{WebUtility.HtmlEncode(iso)}\">{WebUtility.HtmlEncode(shown)}</time>";
        }
    }
}
