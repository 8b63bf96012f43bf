// scenario.exe HOST PORT: sends the scenario message.

using System;
using System.Globalization;

namespace Ssmtp.Scenario
{
    internal static class Program
    {
        private static int Main(string[] args)
        {
            if (args.Length != 2)
            {
                Console.Error.WriteLine("usage: scenario HOST PORT");
                return 2;
            }
            using (var smtp = new global::Ssmtp.Ssmtp())
            {
                try
                {
                    smtp.MailServer = args[0];
                    smtp.MailPort = int.Parse(args[1], CultureInfo.InvariantCulture);
                    ScenarioMessage.Fill(smtp);
                    smtp.Send();
                    return 0;
                }
                catch (SsmtpException error)
                {
                    Console.Error.WriteLine("error {0}: {1}", error.Code, error.Message);
                    return 1;
                }
            }
        }
    }
}
