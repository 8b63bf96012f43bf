// HTML, attachments and inline parts, the scenario of which is looked at by a parser that all languages share.

using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Ssmtp.Tests
{
    public static class AttachmentTests
    {
        public static void the_scenario_is_read_by_another_parser()
        {
            Arrives("--extensions \"8BITMIME,SIZE 10240000,PIPELINING\"");
        }

        public static void the_scenario_arrives_where_nothing_but_ascii_is_taken()
        {
            Arrives("--extensions \"\" --one-byte");
        }

        public static void the_scenario_arrives_in_chunks()
        {
            Arrives("--extensions \"8BITMIME,CHUNKING,PIPELINING\"");
        }

        public static void the_example_sends_the_message_of_the_scenario()
        {
            using (var server = new EmbeddedServer())
            {
                string file = Path.Combine(AppDomain.CurrentDomain.BaseDirectory, "attachments.exe");
                MethodInfo main = Assembly.LoadFrom(file).EntryPoint;
                TextWriter console = Console.Out;
                var said = new StringWriter();
                Console.SetOut(said);
                object result;
                try
                {
                    result = main.Invoke(null, new object[] { new[] { "127.0.0.1:" + server.Port } });
                }
                finally
                {
                    Console.SetOut(console);
                }
                Check.Equal(0, (int)result, "exit code");
                Check.Equal("sent\n", said.ToString());
                AttachmentScenario.Check(server.FileOf(1));
            }
        }

        public static void html_goes_beside_the_text()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.MessageHtml = "<p>Grüße</p>\r\n";
                Check.Equal("<p>Grüße</p>\r\n", smtp.MessageHtml);
                smtp.Send();
                string message = Encoding.UTF8.GetString(server.Message(1));
                Check.Contains("multipart/alternative", message);
                Check.True(
                    message.IndexOf("text/plain", StringComparison.Ordinal) < message.IndexOf("text/html", StringComparison.Ordinal),
                    "the text comes first");
                smtp.MessageHtml = "";
                smtp.Send();
                Check.Lacks("multipart", Encoding.UTF8.GetString(server.Message(2)));
            }
        }

        public static void inline_parts_come_from_files_octets_and_streams()
        {
            using (var folder = new Folder())
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.MessageHtml = "<img src=\"cid:one\"><img src=\"cid:two\"><img src=\"cid:three\">";
                smtp.AddInline(folder.Write("one.gif", new byte[] { 1 }), "one");
                smtp.AddInline(new byte[] { 2 }, "<two>", "image/png");
                smtp.AddInline(new MemoryStream(new byte[] { 3 }), "three");
                smtp.Send();
                string message = Encoding.UTF8.GetString(server.Message(1));
                foreach (string part in new[] { "image/gif", "<one>", "AQ==", "image/png", "<two>", "Ag==", "<three>", "Aw==" })
                {
                    Check.Contains(part, message);
                }
                Check.Contains("multipart/related", message);
            }
        }

        public static void cleared_attachments_are_not_sent_and_their_streams_stay_open()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                int before = MessageStream.Count;
                var stream = new MemoryStream(new byte[] { 1, 2, 3 });
                smtp.AddAttachment(stream, "a.bin");
                smtp.AddInline(stream, "a");
                smtp.AddAttachment(new byte[] { 1 }, "b.bin");
                smtp.ClearAttachments();
                Check.Equal(before, MessageStream.Count, "streams");
                smtp.Send();
                Check.Equal("Hello\r\n", Messages.Parts(server.Message(1)).Value);
                Check.Equal(true, stream.CanRead && stream.Position == 0, "untouched;");
            }
        }

        public static void streams_are_let_go_of_whatever_ends_them()
        {
            int before = MessageStream.Count;
            var stream = new MemoryStream(new byte[] { 1 });
            using (var smtp = new Ssmtp())
            {
                smtp.AddAttachment(stream);
                smtp.SetMessageStream(stream);
                Check.Equal(before + 2, MessageStream.Count, "streams");
                smtp.Reset();
                Check.Equal(before, MessageStream.Count, "after Reset");
                smtp.SetMessageStream(stream);
                smtp.AttachedFile = "";
                Check.Equal(before + 1, MessageStream.Count, "an empty AttachedFile leaves the stream;");
                smtp.AttachedFile = "file";
                Check.Equal(before, MessageStream.Count, "after AttachedFile");
                smtp.SetMessageStream(stream);
                smtp.Set("attachedfile", "file");
                Check.Equal(before, MessageStream.Count, "after AttachedFile by name");
                smtp.SetMessageStream(stream);
                smtp.SetMessageStream(stream);
                smtp.SetMessageStream(null);
                Check.Equal(before, MessageStream.Count, "after null");
                Check.Fails(SsmtpErrorCodes.ValueRefused, () => smtp.AddAttachment(stream, "a", "no type"));
                Check.Equal(before, MessageStream.Count, "after a refusal");
                smtp.AddInline(stream, "a");
                smtp.SetMessageStream(stream);
            }
            Check.Equal(before, MessageStream.Count, "after Dispose");
            Check.Equal(true, stream.CanRead, "open;");
        }

        public static void a_stream_is_closed_after_it_was_sent_unless_the_setting_says_otherwise()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var closed = new MemoryStream(new byte[] { 1 });
                smtp.AddAttachment(closed, "a.bin");
                smtp.Send();
                Check.Equal(false, closed.CanRead, "open;");
                smtp.ClearAttachments();
                var open = new MemoryStream(new byte[] { 1 });
                smtp.Config("CloseStreamAfterTransfer=False");
                smtp.AddAttachment(open, "a.bin");
                smtp.Send();
                Check.Equal(true, open.CanRead, "open;");
                Check.Equal(2, server.Count, "messages");
            }
        }

        public static void a_large_stream_of_unknown_length_arrives_whole()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var content = new byte[3000001];
                new Random(1).NextBytes(content);
                smtp.AddAttachment(new OneWay(content), "large.bin");
                smtp.Send();
                string body = Messages.Parts(server.Message(1)).Value;
                int start = body.IndexOf("large.bin", StringComparison.Ordinal);
                start = body.IndexOf("\r\n\r\n", start, StringComparison.Ordinal) + 4;
                string encoded = body.Substring(start, body.IndexOf("--", start, StringComparison.Ordinal) - start);
                Check.True(Convert.FromBase64String(encoded).SequenceEqual(content), "the same octets");
            }
        }

        public static void an_exception_of_an_attached_stream_comes_out_of_send()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.AddAttachment(new OneWay(null), "broken.bin");
                Check.Equal("from a stream", Check.Throws<InvalidDataException>(smtp.Send).Message);
                Check.Equal(0, server.Count, "messages");
            }
        }

        public static void a_file_that_is_not_there_is_302_when_the_message_is_sent()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.AddAttachment("/nowhere/at/all.txt");
                Check.Contains("/nowhere/at/all.txt", Check.Fails(302, smtp.Send).Message);
                Check.Equal(0, server.Count, "messages");
            }
        }

        public static void what_is_refused_is_not_added()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var data = new byte[] { 1 };
                var stream = new MemoryStream(data);
                Check.Fails(603, () => smtp.AddAttachment(""));
                Check.Fails(603, () => smtp.AddAttachment("a\0b"));
                Check.Fails(603, () => smtp.AddAttachment(data, "a\r\nBcc: x@y.example"));
                Check.Fails(603, () => smtp.AddAttachment(data, "a", "png"));
                Check.Fails(603, () => smtp.AddInline(data, ""));
                Check.Fails(603, () => smtp.AddInline(stream, "a b"));
                Check.Fails(603, () => smtp.AddInline("file", "a", "multipart/mixed"));
                Check.Throws<ArgumentNullException>(() => smtp.AddAttachment((byte[])null));
                Check.Throws<ArgumentNullException>(() => smtp.AddInline((Stream)null, "a"));
                stream.Dispose();
                Check.Throws<ArgumentException>(() => smtp.AddAttachment(stream));
                smtp.Send();
                Check.Equal("Hello\r\n", Messages.Parts(server.Message(1)).Value);
            }
        }

        public static void octets_count_as_they_were_when_they_were_added()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                byte[] data = Encoding.ASCII.GetBytes("before");
                smtp.AddAttachment(data, "a.bin");
                data[0] = (byte)'x';
                smtp.Send();
                Check.Contains(Convert.ToBase64String(Encoding.ASCII.GetBytes("before")), Messages.Parts(server.Message(1)).Value);
            }
        }

        private static void Arrives(string options)
        {
            using (var folder = new Folder())
            using (var server = new EmbeddedServer(options))
            using (var smtp = new Ssmtp { MailServer = "127.0.0.1", MailPort = server.Port })
            {
                smtp.From = "sender@client.example";
                smtp.SendTo = "alice@postfix.test";
                smtp.Subject = "Attachments – Anhänge";
                smtp.MessageDate = "Sun, 22 Nov 2026 12:00:00 +0000";
                smtp.MessageId = "<attachments@client.example>";
                smtp.MessageText = AttachmentScenario.Text;
                smtp.MessageHtml = AttachmentScenario.Html;
                smtp.AddInline(AttachmentScenario.Png(), "logo@client.example", "image/png");
                smtp.AddAttachment(AttachmentScenario.Csv(), "report.csv", "text/csv");
                smtp.AddAttachment(folder.Write("Übersicht.txt", AttachmentScenario.Overview()));
                smtp.AddAttachment(new MemoryStream(AttachmentScenario.Numbers()), "numbers.bin", "application/octet-stream");
                smtp.Send();
                AttachmentScenario.Check(server.FileOf(1));
            }
        }

        /// <summary>A stream of unknown length that gives its content, or throws when it has none.</summary>
        private sealed class OneWay : MemoryStream
        {
            private readonly bool broken;

            internal OneWay(byte[] content)
                : base(content ?? new byte[0])
            {
                broken = content == null;
            }

            public override bool CanSeek
            {
                get { return false; }
            }

            public override int Read(byte[] buffer, int offset, int count)
            {
                if (broken)
                {
                    throw new InvalidDataException("from a stream");
                }
                return base.Read(buffer, offset, Math.Min(count, 1000));
            }
        }
    }
}
