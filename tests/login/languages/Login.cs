// Logs in, sends a message, and prints what it saw of the conversation. usage: login.exe HOST PORT USER PASSWORD

using System;
using System.Globalization;

internal static class Login
{
    private static int Main(string[] args)
    {
        using (var smtp = new Ssmtp.Ssmtp())
        {
            try
            {
                smtp.OnPITrail += (sender, e) => Console.WriteLine("{0} {1}", e.Direction, e.Message);
                smtp.MailServer = args[0];
                smtp.MailPort = int.Parse(args[1], CultureInfo.InvariantCulture);
                smtp.User = args[2];
                smtp.Password = args[3];
                smtp.AuthMechanism = Ssmtp.SsmtpAuthMechanisms.amCRAMMD5;
                smtp.From = "alice@client.example";
                smtp.SendTo = "bob@server.example";
                smtp.MessageText = "Hello\r\n";
                smtp.Send();
                Console.WriteLine("sent");
                return 0;
            }
            catch (Ssmtp.SsmtpException error)
            {
                Console.WriteLine("error {0}: {1}", error.Code, error.Message);
                return 1;
            }
        }
    }
}
