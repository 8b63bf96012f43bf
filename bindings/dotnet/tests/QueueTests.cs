// The queue: a folder, a text, a refused file.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Ssmtp.Tests
{
    public static class QueueTests
    {
        private static void InFolder(Action<string> test)
        {
            string folder = Path.Combine(Path.GetTempPath(), "ssmtp-queue-" + Guid.NewGuid().ToString("N"));
            Directory.CreateDirectory(folder);
            try
            {
                test(folder);
            }
            finally
            {
                Directory.Delete(folder, true);
            }
        }

        private static string Extensions(string folder)
        {
            return string.Join(" ", Directory.GetFiles(folder).Select(Path.GetExtension).OrderBy(e => e, StringComparer.Ordinal));
        }

        public static void a_message_arrives_through_a_folder_and_as_text()
        {
            InFolder(
                folder =>
                {
                    using (var server = new EmbeddedServer("--extensions PIPELINING"))
                    using (Ssmtp smtp = Messages.Small(server.Port))
                    {
                        smtp.Subject = "Grüße";
                        smtp.MessageText = "..dots\r\nÜ\r\n";
                        smtp.BCc = "carol@server.example";
                        smtp.MessageDate = "Sun, 22 Nov 2026 12:00:00 +0000";
                        smtp.MessageId = "<queue@client.example>";
                        smtp.Send();
                        string name = smtp.Queue(folder);
                        string text = smtp.QueueAsync("*").Result;
                        Check.True(File.Exists(Path.Combine(folder, name)), name);
                        Check.Equal(".queued", Extensions(folder));
                        smtp.ProcessQueueAsync(folder).Wait();
                        smtp.SendQueued(text);
                        Check.Equal("", Extensions(folder));
                        string sent = Encoding.UTF8.GetString(server.Message(1));
                        Check.True(!sent.Contains("carol"), "the blind copy is in no header");
                        foreach (int number in new[] { 2, 3 })
                        {
                            Check.Equal(sent, Encoding.UTF8.GetString(server.Message(number)));
                            Check.True(server.Envelope(number).Contains("RCPT TO:<carol@server.example>"), "the blind copy");
                        }
                        SsmtpException error = Check.Throws<SsmtpException>(() => smtp.SendQueued(text.Replace("carol@", "karol@")));
                        Check.Equal(SsmtpErrorCodes.File, error.Code);
                    }
                });
        }

        public static void a_refused_file_is_failed_and_the_others_go()
        {
            InFolder(
                folder =>
                {
                    using (var server = new EmbeddedServer("--fault \"RCPT:bob=550 5.1.1 no such user\""))
                    using (Ssmtp smtp = Messages.Small(server.Port))
                    {
                        var told = new List<string>();
                        smtp.OnError += (sender, e) => told.Add(e.Description);
                        smtp.Config("KeepQueue=True");
                        foreach (string to in new[] { "alice", "bob", "carol" })
                        {
                            smtp.SendTo = to + "@server.example";
                            smtp.Queue(folder);
                        }
                        smtp.ProcessQueue(folder);
                        Check.Equal(".failed .sent .sent", Extensions(folder));
                        Check.Equal(2, server.Count);
                        Check.True(told.Count == 1 && told[0].Contains(".failed: "), string.Join("; ", told));
                        Check.Equal("", smtp.RecoverQueue(folder));
                    }
                });
        }
    }
}
