// Sends a message through a proxy. usage: proxy.exe HOST PORT TYPE PROXY-HOST PROXY-PORT USER PASSWORD

using System;
using System.Globalization;

internal static class Proxy
{
    private static int Main(string[] args)
    {
        using (var smtp = new Ssmtp.Ssmtp())
        {
            try
            {
                smtp.OnConnectionStatus += (sender, e) => Console.WriteLine("{0} {1}", e.ConnectionEvent, e.StatusCode);
                smtp.MailServer = args[0];
                smtp.MailPort = int.Parse(args[1], CultureInfo.InvariantCulture);
                smtp.Firewall.FirewallType = (Ssmtp.FirewallTypes)int.Parse(args[2], CultureInfo.InvariantCulture);
                smtp.Firewall.Host = args[3];
                smtp.Firewall.Port = int.Parse(args[4], CultureInfo.InvariantCulture);
                smtp.Firewall.User = args[5];
                smtp.Firewall.Password = args[6];
                smtp.From = "alice@client.example";
                smtp.SendTo = "bob@server.example";
                smtp.MessageText = "Hello\r\n";
                smtp.Send();
                Console.WriteLine("sent");
                smtp.Disconnect();
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
