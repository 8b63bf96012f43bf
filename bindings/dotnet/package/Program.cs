// package.exe PORT: sends a message to the embedded server, and tells which library the process has loaded for it.

using System;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Ssmtp.Package
{
    internal static class Program
    {
        private static int Main(string[] args)
        {
            using (var smtp = new global::Ssmtp.Ssmtp())
            {
                smtp.MailServer = "127.0.0.1";
                smtp.MailPort = int.Parse(args[0], CultureInfo.InvariantCulture);
                smtp.From = "me@client.example";
                smtp.SendTo = "you@server.example";
                smtp.MessageText = "out of the package\r\n";
                smtp.SendAsync().Wait();
            }
            string[] loaded = File.ReadAllLines("/proc/self/maps")
                .Where(line => line.Contains("/libssmtp."))
                .Select(line => line.Substring(line.IndexOf('/')))
                .Distinct()
                .ToArray();
            Console.WriteLine("sent by " + string.Join(" and ", loaded));
            return 0;
        }
    }
}
