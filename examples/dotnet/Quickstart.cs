// Sends one message to the embedded server, which prints it:
//
//     cargo xtask serve --print                     (says "listening 127.0.0.1:PORT")
//     mono target/dotnet/quickstart.exe 127.0.0.1:PORT

using System;
using System.Globalization;

internal static class Quickstart
{
    private static int Main(string[] args)
    {
        string[] server = args.Length == 1 ? args[0].Split(':') : new string[0];
        if (server.Length != 2)
        {
            Console.Error.WriteLine("usage: quickstart HOST:PORT");
            return 2;
        }
        using (var smtp = new Ssmtp.Ssmtp())
        {
            smtp.MailServer = server[0];
            smtp.MailPort = int.Parse(server[1], CultureInfo.InvariantCulture);
            smtp.From = "\"C# example\" <me@client.example>";
            smtp.SendTo = "you@server.example";
            smtp.Subject = "Hello from libssmtp";
            smtp.MessageText = "This message came out of a C# program.\r\n\r\nBye!\r\n";
            smtp.OnPITrail += (sender, e) => Console.WriteLine("{0} {1}", e.Direction == 0 ? "-->" : "<--", e.Message);
            try
            {
                smtp.Send();
            }
            catch (Ssmtp.SsmtpException error)
            {
                Console.Error.WriteLine("error {0}: {1}", error.Code, error.Message);
                return 1;
            }
            Console.WriteLine("sent");
            return 0;
        }
    }
}
