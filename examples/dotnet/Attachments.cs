// Sends a message as text and as HTML with a picture in it, and three attachments: octets, a file and a stream.
//
//     cargo xtask serve --print                     (says "listening 127.0.0.1:PORT")
//     mono target/dotnet/attachments.exe 127.0.0.1:PORT

using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

internal static class Attachments
{
    // A picture of one transparent point.
    private const string Logo =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGNgAAAAAgAB4iG8MwAAAABJRU5ErkJggg==";

    private static int Main(string[] args)
    {
        string[] server = args.Length == 1 ? args[0].Split(':') : new string[0];
        if (server.Length != 2)
        {
            Console.Error.WriteLine("usage: attachments HOST:PORT");
            return 2;
        }
        string folder = Path.Combine(Path.GetTempPath(), "attachments-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        try
        {
            string file = Path.Combine(folder, "Übersicht.txt");
            File.WriteAllText(file, "Inhalt äöü\n");
            Send(server[0], int.Parse(server[1], CultureInfo.InvariantCulture), file);
            Console.WriteLine("sent");
            return 0;
        }
        catch (Ssmtp.SsmtpException error)
        {
            Console.Error.WriteLine("error {0}: {1}", error.Code, error.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static void Send(string host, int port, string file)
    {
        using (var smtp = new Ssmtp.Ssmtp())
        {
            smtp.MailServer = host;
            smtp.MailPort = port;
            smtp.From = "sender@client.example";
            smtp.SendTo = "alice@postfix.test";
            smtp.Subject = "Attachments – Anhänge";
            smtp.MessageDate = "Sun, 22 Nov 2026 12:00:00 +0000";
            smtp.MessageId = "<attachments@client.example>";

            // Programs show one of the two; the HTML names the picture by its Content-ID.
            smtp.MessageText = "Plain text\r\n";
            smtp.MessageHtml = "<p>HTML <img src=\"cid:logo@client.example\"></p>\r\n";
            smtp.AddInline(Convert.FromBase64String(Logo), "logo@client.example", "image/png");

            // Without a type it is guessed by the name. Files and streams are read while the message is sent.
            smtp.AddAttachment(Encoding.ASCII.GetBytes("a;b\r\n1;2\r\n"), "report.csv", "text/csv");
            smtp.AddAttachment(file);
            byte[] numbers = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
            smtp.AddAttachment(new MemoryStream(numbers), "numbers.bin", "application/octet-stream");
            smtp.Send();
        }
    }
}
