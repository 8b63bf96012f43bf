// Sends a message over TLS and prints what it saw of the handshake.
// usage: secure.exe PORT implicit|explicit TRUSTED.pem|- leave|accept|refuse|stop

using System;
using System.Globalization;
using System.IO;

internal static class Secure
{
    private static int Main(string[] args)
    {
        string word = args[3];
        using (var smtp = new Ssmtp.Ssmtp())
        {
            try
            {
                smtp.OnConnectionStatus += (sender, e) => Console.WriteLine("status {0} {1}", e.StatusCode, e.ConnectionEvent);
                smtp.OnSSLServerAuthentication += (sender, e) =>
                {
                    string status = e.Accept ? e.Status : "not OK";
                    Console.WriteLine("asked {0} {1} {2} {3}", e.Accept ? 1 : 0, e.CertSubject, e.CertIssuer, status);
                    Console.WriteLine("leaf {0}", e.CertEncodedB.Length > 100 && e.CertEncodedB[0] == 0x30 ? "DER" : "?");
                    bool pem = e.CertEncoded.StartsWith("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal);
                    Console.WriteLine("chain {0}", pem ? "PEM" : "?");
                    if (word == "stop")
                    {
                        throw new InvalidOperationException("stopped by the handler");
                    }
                    if (word != "leave")
                    {
                        e.Accept = word == "accept";
                    }
                };
                smtp.MailServer = "localhost";
                smtp.MailPort = int.Parse(args[0], CultureInfo.InvariantCulture);
                smtp.SSLStartMode =
                    args[1] == "implicit" ? Ssmtp.SsmtpSSLStartModes.sslImplicit : Ssmtp.SsmtpSSLStartModes.sslExplicit;
                if (args[2] != "-")
                {
                    smtp.Config("SSLServerCACerts=" + File.ReadAllText(args[2]));
                }
                smtp.From = "alice@client.example";
                smtp.SendTo = "bob@server.example";
                smtp.MessageText = "Hello\r\n";
                smtp.Send();
                Console.WriteLine("sent {0} {1}", smtp.Config("SSLNegotiatedVersion"), smtp.Get("SSLServerCertSubject"));
            }
            catch (Ssmtp.SsmtpException error)
            {
                Console.WriteLine("error {0}", error.Code);
            }
            catch (InvalidOperationException error)
            {
                Console.WriteLine(error.Message);
            }
        }
        return 0;
    }
}
