// Several messages over one connection.

using System.Collections.Generic;
using System.Linq;

namespace Ssmtp.Tests
{
    public static class BatchTests
    {
        public static void messages_go_together_and_each_has_its_number()
        {
            using (var server = new EmbeddedServer("--extensions PIPELINING --fault \"RCPT:bad@=550 5.1.1 no such user\""))
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var connected = new List<string>();
                smtp.OnConnectionStatus += (sender, e) => connected.Add(e.ConnectionEvent);
                List<Ssmtp> messages = new[] { "a", "bad", "c" }.Select(
                    name =>
                    {
                        Ssmtp message = Messages.Small(server.Port);
                        message.SendTo = name + "@server.example";
                        return message;
                    }).ToList();
                Check.Equal(new[] { 0, SsmtpErrorCodes.Protocol, 0 }, smtp.SendAll(messages));
                Check.Equal(2, connected.Count, "one connection, opened and closed");
                Check.Equal("5.1.1", messages[1].RecipientResults[0].EnhancedCode);
                Check.Equal(new[] { 0, SsmtpErrorCodes.Protocol, 0 }, smtp.SendAllAsync(messages).Result);
                Check.Equal(0, smtp.SendAll(new Ssmtp[0]).Length);
                messages.ForEach(message => message.Dispose());
                Check.Equal(Enumerable.Repeat(SsmtpErrorCodes.ClosedHandle, 3).ToArray(), smtp.SendAll(messages));
            }
        }

        public static void a_refused_call_throws()
        {
            using (var lost = new Ssmtp())
            using (Ssmtp message = Messages.Small(1))
            {
                SsmtpException error = Check.Throws<SsmtpException>(() => lost.SendAll(new[] { message }));
                Check.Equal(SsmtpErrorCodes.NoMailServer, error.Code);
            }
        }
    }
}
