// What became of each recipient, and the commands that ask the server about one.

using System;
using System.Collections.Generic;
using System.Linq;

namespace Ssmtp.Tests
{
    public static class ResultTests
    {
        public static void each_recipient_has_its_result()
        {
            const string Faults =
                "--fault \"RCPT:bad@server.example=550 5.1.1 no such user here\" " +
                "--fault \"RCPT:later@server.example=451 4.3.0 come back later\"";
            using (var server = new EmbeddedServer(Faults))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                Check.Equal(0, smtp.RecipientResults.Count, "before the first Send");
                smtp.SendTo = "alice@server.example, bad@server.example";
                smtp.Cc = "later@server.example";
                smtp.Config("StopOnToErrors=False");
                smtp.Config("StopOnCcErrors=False");
                smtp.Send();
                IReadOnlyList<RecipientResult> results = smtp.RecipientResults;
                Check.Equal(
                    new[] { "alice@server.example", "bad@server.example", "later@server.example" },
                    results.Select(r => r.Address).ToArray());
                Check.Equal(new[] { true, false, false }, results.Select(r => r.Accepted).ToArray(), "Accepted");
                Check.Equal(new[] { false, false, true }, results.Select(r => r.Temporary).ToArray(), "Temporary");
                Check.Equal(new[] { 250, 550, 451 }, results.Select(r => r.Code).ToArray(), "Code");
                Check.Equal(new[] { "5.1.1", "4.3.0" }, results.Skip(1).Select(r => r.EnhancedCode).ToArray(), "EnhancedCode");
                Check.Equal(new[] { "CONTENT", "RCPT", "RCPT" }, results.Select(r => r.Phase).ToArray(), "Phase");
                Check.Contains("no such user here", results[1].Text);
                Check.Contains("bad@server.example: 550", results[1].ToString());
                Check.Equal("3", smtp.Get("RecipientResultCount"));
                Check.Equal("bad@server.example", smtp.Get("RecipientResultAddress[1]"));
            }
        }

        public static void results_are_a_picture_of_their_send()
        {
            using (var server = new EmbeddedServer("--fault \"RCPT:bad@server.example=550 5.1.1 no such user here\""))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.Send();
                IReadOnlyList<RecipientResult> first = smtp.RecipientResults;
                smtp.SendTo = "bad@server.example";
                Check.Fails(161, smtp.Send);
                Check.Equal("alice@server.example", first[0].Address);
                Check.Equal("bad@server.example", smtp.RecipientResults.Single().Address);
            }
        }

        public static void a_refused_sender_is_the_result_of_every_recipient()
        {
            using (var server = new ScriptedServer(Refusing("MAIL", "550 5.7.1 not from you")))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                Check.Fails(161, smtp.Send);
                RecipientResult result = smtp.RecipientResults.Single();
                Check.Equal("MAIL", result.Phase);
                Check.Equal("5.7.1", result.EnhancedCode);
                Check.Equal(false, result.Accepted);
            }
        }

        public static void verify_and_expand_ask_the_server()
        {
            Func<string, string> answer = line =>
                line == "VRFY alice" ? "250 <alice@server.example>"
                : line == "EXPN staff" ? "250-<alice@server.example>\r\n250 <bob@server.example>"
                : ScriptedServer.Usual(line);
            using (var server = new ScriptedServer(answer))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var members = new List<string>();
                smtp.OnExpand += (s, e) => members.Add(e.Address);
                smtp.Connect();
                smtp.Verify("alice");
                Check.Contains("alice@server.example", smtp.LastReply);
                smtp.ExpandAsync("staff").GetAwaiter().GetResult();
                Check.Equal(2, members.Count, "Expand events");
                Check.Contains("bob@server.example", members[1]);
                Check.Fails(603, () => smtp.Verify("a\r\nQUIT"));
            }
        }

        public static void messages_go_to_terminals()
        {
            using (var server = new ScriptedServer(ScriptedServer.Usual))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.SendToTerminalOnly();
                smtp.SendToTerminalOrEmail();
                smtp.SendToTerminalAndEmailAsync().GetAwaiter().GetResult();
                string[] verbs = server.Commands.Where(c => c.Contains(" FROM:")).Select(c => c.Substring(0, 4)).ToArray();
                Check.Equal(new[] { "SEND", "SOML", "SAML" }, verbs);
            }
        }

        private static Func<string, string> Refusing(string command, string reply)
        {
            return line => line.StartsWith(command, StringComparison.Ordinal) ? reply : ScriptedServer.Usual(line);
        }
    }
}
