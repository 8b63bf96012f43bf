// Logs in with a token that has expired, and gives another one when it is asked. usage: renew.exe HOST PORT USER STALE GOOD

using System;
using System.Globalization;

internal static class Renew
{
    private static int Main(string[] args)
    {
        using (var smtp = new Ssmtp.Ssmtp())
        {
            try
            {
                smtp.OnTokenWanted += (sender, e) =>
                {
                    Console.WriteLine("asked for {0}", e.User);
                    smtp.Config("AuthorizationIdentity=Bearer " + args[4]);
                };
                smtp.MailServer = args[0];
                smtp.MailPort = int.Parse(args[1], CultureInfo.InvariantCulture);
                smtp.User = args[2];
                smtp.AuthMechanism = Ssmtp.SsmtpAuthMechanisms.amXOAUTH2;
                smtp.Config("AuthorizationIdentity=" + args[3]);
                smtp.Connect();
                Console.WriteLine("logged in");
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
