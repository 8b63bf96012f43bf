// Sending: refused recipients, streams, errors with what the server said.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Ssmtp.Tests
{
    public static class SendTests
    {
        private const string Refusal = "--fault \"RCPT:bad@server.example=550 5.1.1 no such user here\"";

        public static void a_refused_recipient_is_161_with_the_words_of_the_server()
        {
            using (var server = new EmbeddedServer(Refusal))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.SendTo = "alice@server.example, bad@server.example";
                SsmtpException error = Check.Fails(SsmtpErrorCodes.Protocol, smtp.Send);
                Check.Equal(161, error.Code);
                Check.Contains("no such user here", error.Message);
                Check.Equal(0, server.Count, "messages");
                smtp.SendTo = "alice@server.example";
                smtp.Send();
                Check.Equal(1, server.Count, "messages");
            }
        }

        public static void a_refused_recipient_that_does_not_matter_fires_error()
        {
            using (var server = new EmbeddedServer(Refusal))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var errors = new List<string>();
                smtp.OnError += (s, e) => errors.Add(e.ErrorCode + " " + e.Description);
                smtp.SendTo = "bad@server.example, alice@server.example";
                smtp.Config("StopOnToErrors=False");
                smtp.Send();
                Check.Equal(1, server.Count, "messages");
                Check.Equal(1, errors.Count, "Error events");
                Check.Contains("no such user here", errors[0]);
                Check.Equal(1, server.Envelope(1).Count(l => l.StartsWith("RCPT", StringComparison.Ordinal)), "recipients");
            }
        }

        public static void a_message_stream_follows_the_text()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                string body = string.Concat(Enumerable.Range(0, 20000).Select(i => "." + i + "\r\n"));
                var stream = new MemoryStream(Encoding.ASCII.GetBytes(body));
                smtp.SetMessageStream(stream);
                smtp.Send();
                Check.True(Messages.Parts(server.Message(1)).Value == "Hello\r\n" + body, "text and stream arrived");
                Check.Equal(false, stream.CanRead, "open after the transfer;");
            }
        }

        public static void a_stream_without_a_size_is_sent_and_its_percentage_is_unknown()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var percents = new List<int>();
                smtp.MessageText = "";
                smtp.OnTransfer += (s, e) => percents.Add(e.PercentDone);
                smtp.SetMessageStream(new Trickle(Encoding.ASCII.GetBytes("one\r\ntwo\r\n")));
                smtp.Send();
                Check.Equal("one\r\ntwo\r\n", Messages.Parts(server.Message(1)).Value);
                Check.True(percents.Count > 0 && percents.All(p => p == -1), string.Join(" ", percents));
            }
        }

        public static void a_stream_is_left_open_when_the_setting_says_so()
        {
            using (var server = new EmbeddedServer())
            {
                var stream = new MemoryStream(Encoding.ASCII.GetBytes("kept\r\n"));
                using (Ssmtp smtp = Messages.Small(server.Port))
                {
                    smtp.Config("CloseStreamAfterTransfer=False");
                    smtp.SetMessageStream(stream);
                    smtp.Send();
                    Check.Equal(1, server.Count, "messages");
                    Check.Equal(true, stream.CanRead, "open after the transfer;");
                }
                Check.Equal(true, stream.CanRead, "open after Dispose;");
            }
        }

        public static void a_stream_that_is_replaced_or_removed_stays_as_it_was()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var first = new MemoryStream(new byte[] { 65, 13, 10 });
                var second = new MemoryStream(new byte[] { 66, 13, 10 });
                smtp.SetMessageStream(first);
                smtp.SetMessageStream(second);
                GC.Collect();
                smtp.SetMessageStream(null);
                smtp.Send();
                Check.Equal("Hello\r\n", Messages.Parts(server.Message(1)).Value);
                Check.Equal(true, first.CanRead && second.CanRead, "open;");
                Check.Equal(0L, first.Position + second.Position, "read;");
            }
        }

        public static void an_exception_of_the_stream_comes_out_of_send()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.SetMessageStream(new Broken());
                var error = Check.Throws<InvalidDataException>(smtp.Send);
                Check.Equal("from a stream", error.Message);
                Check.Equal(0, server.Count, "messages");
                smtp.SetMessageStream(null);
                smtp.Send();
                Check.Equal(1, server.Count, "messages");
            }
        }

        public static void a_stream_that_cannot_be_read_is_refused_at_once()
        {
            using (var smtp = new Ssmtp())
            {
                var closed = new MemoryStream();
                closed.Dispose();
                Check.Throws<ArgumentException>(() => smtp.SetMessageStream(closed));
            }
        }

        public static void nobody_listening_is_10061_and_the_text_names_the_server()
        {
            int port;
            using (ScriptedServer server = ScriptedServer.Silent())
            {
                port = server.Port;
            }
            using (Ssmtp smtp = Messages.Small(port))
            {
                SsmtpException error = Check.Fails(10061, smtp.Send);
                Check.Contains("127.0.0.1", error.Message);
            }
        }

        public static void what_is_missing_is_told_by_its_number()
        {
            using (var smtp = new Ssmtp())
            {
                Check.Fails(163, smtp.Connect);
                smtp.MailServer = "127.0.0.1";
                Check.Fails(164, smtp.Send);
                smtp.From = "sender@client.example";
                Check.Fails(165, smtp.Send);
                Check.Fails(1117, () => smtp.SendCommand("NOOP"));
                Check.Fails(1117, () => smtp.Command = "NOOP");
                smtp.Disconnect();
            }
        }

        public static void connected_connects_and_command_sends()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.Connected = true;
                Check.Equal(true, smtp.Connected);
                smtp.Command = "NOOP";
                Check.True(smtp.LastReply.StartsWith("250", StringComparison.Ordinal), smtp.LastReply);
                smtp.Connected = false;
                Check.Equal(false, smtp.Connected);
            }
        }

        public static void a_silent_server_runs_into_the_timeout()
        {
            using (ScriptedServer server = ScriptedServer.Silent())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.Timeout = 1;
                Check.Fails(201, smtp.Send);
            }
        }

        /// <summary>A stream that cannot seek and gives a few bytes at a time.</summary>
        private sealed class Trickle : Source
        {
            private readonly byte[] content;
            private int place;

            internal Trickle(byte[] content)
            {
                this.content = content;
            }

            public override int Read(byte[] buffer, int offset, int count)
            {
                int some = Math.Min(3, Math.Min(count, content.Length - place));
                Array.Copy(content, place, buffer, offset, some);
                place += some;
                return some;
            }
        }

        private sealed class Broken : Source
        {
            public override int Read(byte[] buffer, int offset, int count)
            {
                throw new InvalidDataException("from a stream");
            }
        }

        private abstract class Source : Stream
        {
            public override bool CanRead
            {
                get { return true; }
            }

            public override bool CanSeek
            {
                get { return false; }
            }

            public override bool CanWrite
            {
                get { return false; }
            }

            public override long Length
            {
                get { throw new NotSupportedException(); }
            }

            public override long Position
            {
                get { throw new NotSupportedException(); }
                set { throw new NotSupportedException(); }
            }

            public override void Flush()
            {
            }

            public override long Seek(long offset, SeekOrigin origin)
            {
                throw new NotSupportedException();
            }

            public override void SetLength(long value)
            {
                throw new NotSupportedException();
            }

            public override void Write(byte[] buffer, int offset, int count)
            {
                throw new NotSupportedException();
            }
        }
    }
}
