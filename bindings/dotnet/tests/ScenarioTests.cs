// The scenario message, as the other languages send it.

using System;
using System.Collections.Generic;
using System.Linq;
using Ssmtp.Scenario;

namespace Ssmtp.Tests
{
    public static class ScenarioTests
    {
        private const string Extensions = "--extensions \"8BITMIME,SIZE 10240000,PIPELINING\"";

        public static void the_scenario_message_arrives_as_it_was_set()
        {
            Arrives(Extensions);
        }

        public static void the_scenario_message_arrives_when_replies_come_byte_by_byte()
        {
            Arrives(Extensions + " --one-byte");
        }

        public static void bcc_is_absent_from_what_was_sent()
        {
            using (var server = new EmbeddedServer(Extensions))
            {
                Send(server);
                Check.Lacks("carol", System.Text.Encoding.UTF8.GetString(server.Message(1)));
            }
        }

        private static void Arrives(string options)
        {
            using (var server = new EmbeddedServer(options))
            {
                Send(server);
                Check.Equal(1, server.Count, "messages");
                string[] envelope = server.Envelope(1);
                Check.Contains("MAIL FROM:<sender@client.example>", envelope[0]);
                Check.Equal(
                    new[] { "RCPT TO:<alice@postfix.test>", "RCPT TO:<bob@postfix.test>", "RCPT TO:<carol@postfix.test>" },
                    envelope.Skip(1).Select(l => l.TrimEnd()).ToArray());

                KeyValuePair<List<string>, string> parts = Messages.Parts(server.Message(1));
                List<string> head = parts.Key;
                Check.Equal("Zoë Sender <sender@client.example>", Messages.Decoded(Messages.Header(head, "From")).Replace("\"", ""));
                Check.Equal("alice@postfix.test", Messages.Header(head, "To").Trim('<', '>'));
                Check.Equal("\"Bob, Esq.\" <bob@postfix.test>", Messages.Header(head, "Cc"));
                Check.Equal("Grüße – scenario", Messages.Decoded(Messages.Header(head, "Subject")));
                Check.Equal("Sun, 22 Nov 2026 12:00:00 +0000", Messages.Header(head, "Date"));
                Check.Equal("<scenario@client.example>", Messages.Header(head, "Message-ID"));
                Check.Equal("1", Messages.Header(head, "X-Scenario"));
                Check.True(head.All(l => l.All(c => c < 128)), "headers are ASCII");
                Check.Equal(ScenarioMessage.Text, parts.Value);
            }
        }

        private static void Send(EmbeddedServer server)
        {
            using (var smtp = new Ssmtp { MailServer = "127.0.0.1", MailPort = server.Port })
            {
                ScenarioMessage.Fill(smtp);
                smtp.Send();
                Check.Equal(false, smtp.Connected);
            }
        }
    }
}
