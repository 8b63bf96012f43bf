// System.Net.Mail.MailMessage: what arrives of it, and that the component's own message is untouched.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Mail;
using System.Net.Mime;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Ssmtp.Tests
{
    public static class MailMessageTests
    {
        public static void the_fields_of_a_mail_arrive()
        {
            using (var server = new EmbeddedServer("--extensions \"8BITMIME,DSN\""))
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                mail.From = new MailAddress("zoe@client.example", "Zoë \"Z\", Esq.");
                mail.Sender = new MailAddress("office@client.example", "Büro");
                mail.ReplyToList.Add(new MailAddress("one@client.example", "One"));
                mail.ReplyToList.Add("two@client.example");
                mail.To.Add("\"Bob, Esq.\" <bob@server.example>");
                mail.CC.Add("carol@server.example");
                mail.Bcc.Add("dave@server.example");
                mail.Subject = "Grüße – mail";
                mail.Priority = MailPriority.High;
                mail.DeliveryNotificationOptions = DeliveryNotificationOptions.OnFailure | DeliveryNotificationOptions.Delay;
                mail.Headers.Add("X-Twice", "one");
                mail.Headers.Add("X-Twice", "two");
                mail.Headers.Add("X-Text", "Grüße");
                mail.Headers.Add("Message-ID", "<mail@client.example>");
                mail.Headers.Add("Date", "Sun, 22 Nov 2026 12:00:00 +0000");
                mail.Headers.Add("Subject", "not this one");
                mail.Headers.Add("Bcc", "erin@server.example");
                mail.Body = "Ünïcödé\n.dot\n";
                smtp.SendMessage(mail);

                string[] envelope = server.Envelope(1);
                Check.Contains("MAIL FROM:<office@client.example>", envelope[0]);
                string[] names = { "alice", "bob", "carol", "dave" };
                Check.Equal(
                    names.Select(n => "RCPT TO:<" + n + "@server.example> NOTIFY=FAILURE,DELAY").ToArray(),
                    envelope.Skip(1).Select(l => l.TrimEnd()).ToArray());
                KeyValuePair<List<string>, string> parts = Messages.Parts(server.Message(1));
                List<string> head = parts.Key;
                Check.Equal("\"Zoë \\\"Z\\\", Esq.\" <zoe@client.example>", Unquoted(Messages.Header(head, "From")));
                Check.Equal("Büro <office@client.example>", Messages.Decoded(Messages.Header(head, "Sender")));
                Check.Equal("One <one@client.example>, two@client.example", Messages.Header(head, "Reply-To"));
                Check.Equal("alice@server.example, \"Bob, Esq.\" <bob@server.example>", Messages.Header(head, "To"));
                Check.Equal("carol@server.example", Messages.Header(head, "Cc"));
                Check.Equal("Grüße – mail", Messages.Decoded(Messages.Header(head, "Subject")));
                Check.Equal("High", Messages.Header(head, "Importance"));
                Check.Equal("urgent", Messages.Header(head, "Priority"));
                Check.Equal("1", Messages.Header(head, "X-Priority"));
                Check.Equal("<mail@client.example>", Messages.Header(head, "Message-ID"));
                Check.Equal("Sun, 22 Nov 2026 12:00:00 +0000", Messages.Header(head, "Date"));
                Check.Equal("Grüße", Messages.Decoded(Messages.Header(head, "X-Text")));
                Check.Equal(
                    new[] { "X-Twice: one", "X-Twice: two" },
                    head.Where(l => l.StartsWith("X-Twice:", StringComparison.Ordinal)).ToArray());
                Check.Equal("Ünïcödé\r\n.dot\r\n", parts.Value);
                string whole = Encoding.UTF8.GetString(server.Message(1));
                Check.Lacks("dave", whole);
                Check.Lacks("erin", whole);
            }
        }

        public static void a_failed_encryption_of_the_properties_is_not_forgotten_for_a_mail()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                smtp.From = "own@client.example";
                smtp.SendTo = "own@server.example";
                smtp.MessageText = "not for everybody";
                Check.Equal(SsmtpErrorCodes.CertNotFound, Check.Throws<SsmtpException>(smtp.Encrypt).Code);
                smtp.SendMessage(mail);
                Check.Equal("not for everybody", smtp.MessageText);
                Check.Equal(SsmtpErrorCodes.Encrypt, Check.Throws<SsmtpException>(smtp.Send).Code);
            }
        }

        public static void a_mail_of_low_priority_says_so_and_a_normal_one_nothing()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                smtp.SendMessage(mail);
                mail.Priority = MailPriority.Low;
                smtp.SendMessage(mail);
                List<string> head = Messages.Parts(server.Message(1)).Key;
                Check.Equal(0, head.Count(l => l.Contains("riority") || l.Contains("mportance")), "lines");
                head = Messages.Parts(server.Message(2)).Key;
                Check.Equal("Low", Messages.Header(head, "Importance"));
                Check.Equal("non-urgent", Messages.Header(head, "Priority"));
                Check.Equal("5", Messages.Header(head, "X-Priority"));
            }
        }

        public static void a_mail_with_views_and_attachments_is_read_by_another_parser()
        {
            using (var folder = new Folder())
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = OfTheScenario(folder))
            {
                smtp.SendMessage(mail);
                AttachmentScenario.Check(server.FileOf(1));
            }
        }

        public static void a_mail_can_be_sent_again_and_its_streams_stay_open()
        {
            using (var folder = new Folder())
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = OfTheScenario(folder))
            {
                int before = MessageStream.Count;
                smtp.SendMessage(mail);
                smtp.SendMessageAsync(mail).GetAwaiter().GetResult();
                AttachmentScenario.Check(server.FileOf(2));
                Check.Equal(before, MessageStream.Count, "streams");
                Stream stream = mail.Attachments[2].ContentStream;
                Check.Equal(true, stream.CanRead && stream.Position == 0, "open and at its start;");
            }
        }

        public static void both_texts_may_be_views_and_in_a_charset_of_their_own()
        {
            using (var server = new EmbeddedServer("--extensions 8BITMIME"))
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                mail.Body = "";
                Encoding latin = Encoding.GetEncoding("iso-8859-1");
                mail.AlternateViews.Add(AlternateView.CreateAlternateViewFromString("Grüße", latin, "text/plain"));
                mail.AlternateViews.Add(AlternateView.CreateAlternateViewFromString("<b>Grüße</b>", Encoding.Unicode, "text/html"));
                smtp.SendMessage(mail);
                string message = Encoding.UTF8.GetString(server.Message(1));
                Check.Contains("\r\nGrüße\r\n", message);
                Check.Contains("\r\n<b>Grüße</b>\r\n", message);
                Check.Contains("multipart/alternative", message);
            }
        }

        public static void the_older_reply_to_counts_too()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
#pragma warning disable 618
                mail.ReplyTo = new MailAddress("reply@client.example");
#pragma warning restore 618
                smtp.SendMessage(mail);
                Check.Equal("reply@client.example", Messages.Header(Messages.Parts(server.Message(1)).Key, "Reply-To"));
            }
        }

        public static void html_alone_is_one_part()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                mail.IsBodyHtml = true;
                mail.Body = "<p>only</p>\r\n";
                smtp.SendMessage(mail);
                KeyValuePair<List<string>, string> parts = Messages.Parts(server.Message(1));
                Check.Contains("text/html", Messages.Header(parts.Key, "Content-Type"));
                Check.Equal("<p>only</p>\r\n", parts.Value);
            }
        }

        public static void an_attachment_that_the_html_shows_goes_beside_it()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                mail.IsBodyHtml = true;
                mail.Body = "<img src=\"cid:shown@x\">";
                mail.Attachments.Add(Picture(1, "shown.png", "shown@x"));
                mail.Attachments.Add(Picture(2, "Bild ü.png", "inline@x"));
                mail.Attachments[1].ContentDisposition.Inline = true;
                mail.Attachments.Add(Picture(3, "beside.png", "beside@x"));
                smtp.SendMessage(mail);
                string message = Encoding.UTF8.GetString(server.Message(1));
                Check.Contains("multipart/related", message);
                Check.Contains("Content-ID: <shown@x>", message);
                Check.Contains("Content-ID: <inline@x>", message);
                Check.Contains("name=shown.png", message.Replace("\"", ""));
                Check.Contains("Bild%20%C3%BC.png", message);
                string unfolded = message.Replace("\"", "").Replace("\r\n ", " ");
                Check.Contains("Content-Disposition: attachment; filename=beside.png", unfolded);
                Check.Lacks("beside@x", message);
            }
        }

        public static void an_invitation_is_an_alternative_and_a_message_stays_one()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                var invitation = new ContentType("text/calendar; method=REQUEST; charset=utf-8");
                mail.AlternateViews.Add(AlternateView.CreateAlternateViewFromString("BEGIN:VCALENDAR\r\n", invitation));
                byte[] inner = Encoding.ASCII.GetBytes("From: a@b.example\r\nSubject: inner\r\n\r\nbody\r\n");
                mail.Attachments.Add(new Attachment(new MemoryStream(inner), "inner.eml", "message/rfc822"));
                smtp.SendMessage(mail);
                string message = Encoding.UTF8.GetString(server.Message(1)).Replace("\"", "");
                Check.Contains("multipart/alternative", message);
                // .NET gives parameters in an order of its own.
                Check.Contains("text/calendar; ", message.Replace("\r\n ", " "));
                Check.Contains("; method=REQUEST", message.Replace("\r\n ", " "));
                Check.Contains("message/rfc822", message);
                Check.Contains("\r\nSubject: inner\r\n", message);
            }
        }

        public static void what_cannot_be_said_is_refused_and_not_left_out()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                AlternateView second = AlternateView.CreateAlternateViewFromString("again", null, "text/plain");
                mail.AlternateViews.Add(second);
                Check.Throws<NotSupportedException>(() => smtp.SendMessage(mail));
                mail.AlternateViews.Clear();
                mail.AlternateViews.Add(AlternateView.CreateAlternateViewFromString("x", null, "text/enriched"));
                Check.Contains("text/enriched", Check.Throws<NotSupportedException>(() => smtp.SendMessage(mail)).Message);
                mail.AlternateViews.Clear();
                AlternateView html = AlternateView.CreateAlternateViewFromString("x", null, "text/html");
                var linked = new LinkedResource(new MemoryStream(), "image/png") { ContentLink = new Uri("http://x.example/") };
                html.LinkedResources.Add(linked);
                mail.AlternateViews.Add(html);
                Check.Throws<NotSupportedException>(() => smtp.SendMessage(mail));
                Check.Throws<ArgumentNullException>(() => smtp.SendMessage(null));
                Check.Equal(0, server.Count, "messages");
            }
        }

        public static void a_header_cannot_bring_another_along()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            {
                foreach (string value in new[] { "a\r\nX-Evil: b", "a\nX-Evil: b", "a\rb", "a\r\n\r\nbody", "a\r\n \r\nX: y", "a\0b" })
                {
                    Refused(smtp, mail => mail.Headers["X-Header"] = value);
                }
                foreach (string name in new[] { "X-Ü", "X: a\r\nBcc", "a b" })
                {
                    Refused(smtp, mail => mail.Headers[name] = "value");
                }
                Check.Equal(0, server.Count, "messages");
                using (MailMessage mail = Small())
                {
                    mail.Headers["X-Folded"] = "one\r\n\ttwo\r\n three";
                    smtp.SendMessage(mail);
                    Check.Equal("one\ttwo three", Messages.Header(Messages.Parts(server.Message(1)).Key, "X-Folded"));
                }
            }
        }

        public static void a_mail_without_sender_or_recipient_is_refused_and_bcc_alone_is_enough()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            using (var empty = new MailMessage())
            {
                Check.Fails(164, () => smtp.SendMessage(empty));
                mail.To.Clear();
                Check.Fails(165, () => smtp.SendMessage(mail));
                mail.Bcc.Add("dave@server.example");
                smtp.SendMessage(mail);
                Check.Contains("RCPT TO:<dave@server.example>", server.Envelope(1)[1]);
                Check.Lacks("dave", Encoding.UTF8.GetString(server.Message(1)));
                Check.Equal("False", smtp.Config("AllowEmptyTo"));
                Check.Equal("dave@server.example", smtp.RecipientResults.Single().Address);
            }
        }

        public static void the_message_of_the_component_is_the_same_afterwards()
        {
            using (var folder = new Folder())
            using (var server = new EmbeddedServer("--fault \"RCPT:bad@server.example=550 5.1.1 no such user here\""))
            using (Ssmtp smtp = Own(server.Port))
            using (MailMessage mail = OfTheScenario(folder))
            {
                var streams = new[] { new byte[] { 7, 7, 7 }, Encoding.ASCII.GetBytes("tail\r\n") }
                    .Select(content => new MemoryStream(content)).ToArray();
                smtp.AddAttachment(new byte[] { 8, 8, 8 }, "own.bin");
                smtp.AddAttachment(streams[0], "stream.bin");
                smtp.AddInline(new byte[] { 9, 9, 9 }, "own@x", "image/png");
                smtp.SetMessageStream(streams[1]);
                string[] before = Shown(smtp);
                string during = "";
                smtp.OnStartTransfer += (s, e) => during = smtp.Subject + smtp.MessageText;

                smtp.SendMessage(mail);
                AttachmentScenario.Check(server.FileOf(1));
                Check.Equal("Attachments – AnhängePlain text\r\n", during, "what handlers see;");
                Check.Equal(before, Shown(smtp));
                mail.To.Add("bad@server.example");
                Check.Fails(161, () => smtp.SendMessage(mail));
                Check.Equal(before, Shown(smtp));
                mail.Subject = "x";
                mail.AlternateViews.Add(AlternateView.CreateAlternateViewFromString("x", null, "text/enriched"));
                Check.Throws<NotSupportedException>(() => smtp.SendMessage(mail));
                Check.Equal(before, Shown(smtp));

                smtp.Send();
                string sent = Encoding.UTF8.GetString(server.Message(2));
                string[] own = { "CAgI", "BwcH", "CQkJ", "tail", "own text", "X-Own: 1", "Own: alice@server.example;" };
                foreach (string part in own)
                {
                    Check.Contains(part, sent.Replace("\r\n ", " "));
                }
                Check.Equal(false, streams[0].CanRead || streams[1].CanRead, "open after the transfer;");
            }
        }

        public static void entries_that_are_no_list_are_the_same_afterwards()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                smtp.From = "own@client.example";
                smtp.MessageRecipients.Add("dave@server.example", MessageRecipientTypes.rtBCc, "D", "NOTIFY=NEVER");
                smtp.MessageRecipients.Add("alice@server.example", MessageRecipientTypes.rtTo, "A, B", "NOTIFY=DELAY");
                smtp.MessageRecipients.Count = 3;
                smtp.Message = "Message";
                smtp.AttachedFile = "/tmp/own";
                string[] before = Shown(smtp);
                smtp.SendMessage(mail);
                Check.Equal(before, Shown(smtp));
                Check.Equal("mail body\r\n", Messages.Parts(server.Message(1)).Value);
            }
        }

        public static void an_open_connection_is_used_and_stays_open()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                smtp.Connect();
                smtp.SendMessage(mail);
                smtp.SendMessage(mail);
                Check.Equal(true, smtp.Connected);
                Check.Equal(2, server.Count, "messages");
                smtp.Disconnect();
            }
        }

        public static void a_cancelled_mail_ends_at_once_and_leaves_the_own_message()
        {
            using (ScriptedServer server = ScriptedServer.Silent())
            using (Ssmtp smtp = Own(server.Port))
            using (MailMessage mail = Small())
            using (var stop = new CancellationTokenSource())
            {
                string[] before = Shown(smtp);
                Task sending = smtp.SendMessageAsync(mail, stop.Token);
                server.Waiting.WaitOne();
                SsmtpException busy = Check.Fails(SsmtpErrorCodes.Busy, () => smtp.SendMessage(mail));
                Check.Contains("SendMessage", busy.Message);
                stop.Cancel();
                Check.Throws<OperationCanceledException>(() => sending.GetAwaiter().GetResult());
                Check.Equal(true, sending.IsCanceled, "cancelled;");
                Check.Equal(before, Shown(smtp));
            }
        }

        public static void an_exception_of_a_handler_or_stream_comes_out_and_the_own_message_is_back()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Own(server.Port))
            using (MailMessage mail = Small())
            {
                string[] before = Shown(smtp);
                mail.Attachments.Add(new Attachment(new Broken(), "broken.bin"));
                Check.Equal("from a stream", Check.Throws<InvalidDataException>(() => smtp.SendMessage(mail)).Message);
                Check.Equal(before, Shown(smtp));
                mail.Attachments.Clear();
                OnPITrailHandler refuse = (s, e) => { throw new FormatException("from a handler"); };
                smtp.OnPITrail += refuse;
                Check.Equal("from a handler", Check.Throws<FormatException>(() => smtp.SendMessage(mail)).Message);
                smtp.OnPITrail -= refuse;
                Check.Equal(before, Shown(smtp));
                Check.Equal(0, server.Count, "messages");
            }
        }

        public static void a_component_may_be_disposed_of_while_it_sends_a_mail()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Connection(server.Port))
            using (MailMessage mail = Small())
            {
                int before = MessageStream.Count;
                mail.Attachments.Add(new Attachment(new MemoryStream(new byte[] { 1 }), "a.bin"));
                smtp.OnStartTransfer += (s, e) => smtp.Dispose();
                Check.Fails(301, () => smtp.SendMessage(mail));
                Check.Throws<ObjectDisposedException>(() => smtp.SendMessage(mail));
                Check.Equal(before, MessageStream.Count, "streams");
                Check.Equal(0, server.Count, "messages");
            }
        }

        private static void Refused(Ssmtp smtp, Action<MailMessage> change)
        {
            using (MailMessage mail = Small())
            {
                try
                {
                    change(mail);
                }
                catch (FormatException)
                {
                    return; // .NET refuses some of it itself.
                }
                Check.Fails(SsmtpErrorCodes.ValueRefused, () => smtp.SendMessage(mail));
            }
        }

        private static Ssmtp Connection(int port)
        {
            return new Ssmtp { MailServer = "127.0.0.1", MailPort = port, Timeout = 20 };
        }

        /// <summary>A component with a message of its own in every property.</summary>
        private static Ssmtp Own(int port)
        {
            Ssmtp smtp = Connection(port);
            smtp.From = "own@client.example";
            smtp.SendTo = "Own: alice@server.example;";
            smtp.Cc = "\"C, C\" <carol@server.example>";
            smtp.BCc = "dave@server.example";
            smtp.MessageRecipients[0].Options = "NOTIFY=NEVER";
            smtp.Subject = "own";
            smtp.ReplyTo = "reply@client.example";
            smtp.ReturnPath = "bounce@client.example";
            smtp.DeliveryNotificationTo = "n@client.example";
            smtp.ReadReceiptTo = "r@client.example";
            smtp.MessageDate = "";
            smtp.MessageId = "<own@client.example>";
            smtp.OtherHeaders = "X-Own: 1";
            smtp.MessageText = "own text\r\n";
            smtp.MessageHtml = "<p>own</p>";
            smtp.Importance = SsmtpImportances.miLow;
            smtp.Priority = SsmtpPriorities.epNonUrgent;
            smtp.Sensitivity = SsmtpSensitivities.esPrivate;
            return smtp;
        }

        private static string[] Shown(Ssmtp smtp)
        {
            var names = new[]
            {
                "From", "SendTo", "Cc", "BCc", "Subject", "ReplyTo", "ReturnPath", "DeliveryNotificationTo", "ReadReceiptTo",
                "MessageDate", "MessageId", "OtherHeaders", "MessageText", "Message", "MessageHtml", "AttachedFile", "Importance",
                "Priority", "Sensitivity",
            };
            return names.Select(smtp.Get)
                .Concat(smtp.MessageRecipients.Select(r => r.RecipientType + "|" + r.Name + "|" + r.Address + "|" + r.Options))
                .Concat(new[] { smtp.Config("AllowEmptyTo") })
                .ToArray();
        }

        private static MailMessage Small()
        {
            var mail = new MailMessage { From = new MailAddress("mail@client.example"), Subject = "mail", Body = "mail body\r\n" };
            mail.To.Add("alice@server.example");
            return mail;
        }

        private static Attachment Picture(byte content, string name, string cid)
        {
            return new Attachment(new MemoryStream(new[] { content }), name, "image/png") { ContentId = cid };
        }

        private static MailMessage OfTheScenario(Folder folder)
        {
            const string Subject = "Attachments – Anhänge";
            var mail = new MailMessage("sender@client.example", "alice@postfix.test", Subject, AttachmentScenario.Text);
            mail.Headers.Add("Date", "Sun, 22 Nov 2026 12:00:00 +0000");
            mail.Headers.Add("Message-ID", "<attachments@client.example>");
            string text = AttachmentScenario.Html;
            AlternateView html = AlternateView.CreateAlternateViewFromString(text, Encoding.UTF8, "text/html");
            var logo = new LinkedResource(new MemoryStream(AttachmentScenario.Png()), "image/png");
            logo.ContentId = "logo@client.example";
            html.LinkedResources.Add(logo);
            mail.AlternateViews.Add(html);
            mail.Attachments.Add(new Attachment(new MemoryStream(AttachmentScenario.Csv()), "report.csv", "text/csv"));
            mail.Attachments.Add(new Attachment(folder.Write("Übersicht.txt", AttachmentScenario.Overview()), "text/plain"));
            var numbers = new MemoryStream(AttachmentScenario.Numbers());
            mail.Attachments.Add(new Attachment(numbers, "numbers.bin", "application/octet-stream"));
            return mail;
        }

        /// <summary>Several encoded words may stand for a quoted name.</summary>
        private static string Unquoted(string value)
        {
            string text = Messages.Decoded(value);
            return text[0] == '"' ? text : "\"" + text.Replace("\"Z\"", "\\\"Z\\\"").Replace(" <", "\" <");
        }

        private sealed class Broken : MemoryStream
        {
            public override int Read(byte[] buffer, int offset, int count)
            {
                throw new InvalidDataException("from a stream");
            }
        }
    }
}
