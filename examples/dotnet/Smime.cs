// Signs with one certificate, encrypts for another and sends; or decrypts a received message and says who signed it.
//
//     mono target/dotnet/smime.exe send HOST:PORT SIGNER.pem RECIPIENT.pem
//     mono target/dotnet/smime.exe read MESSAGE RECIPIENT.pem
//
// SIGNER.pem, and RECIPIENT.pem for reading, hold the private key too.

using System;
using System.Globalization;
using System.IO;
using Ssmtp;

internal static class Smime
{
    private static int Main(string[] args)
    {
        try
        {
            if (args.Length == 4 && args[0] == "send")
            {
                Send(args[1], args[2], args[3]);
                return 0;
            }
            if (args.Length == 3 && args[0] == "read")
            {
                Read(args[1], args[2]);
                return 0;
            }
        }
        catch (SsmtpException error)
        {
            Console.Error.WriteLine("error {0}: {1}", error.Code, error.Message);
            return 1;
        }
        Console.Error.WriteLine("usage: smime send HOST:PORT SIGNER.pem RECIPIENT.pem | read MESSAGE RECIPIENT.pem");
        return 2;
    }

    private static Certificate WithKey(string path)
    {
        return new Certificate(CertStoreTypes.cstPEMKeyFile, path, "", "*");
    }

    private static void Send(string server, string signer, string recipient)
    {
        int colon = server.LastIndexOf(':');
        using (var smtp = new Ssmtp.Ssmtp())
        using (Certificate certificate = WithKey(signer))
        {
            smtp.MailServer = server.Substring(0, colon);
            smtp.MailPort = int.Parse(server.Substring(colon + 1), CultureInfo.InvariantCulture);
            smtp.Config("SecurityProfile=Modern"); // AES in place of 3DES, and more
            smtp.From = "rsa@b.example";
            smtp.SendTo = "second@b.example";
            smtp.Subject = "Signed and encrypted";
            smtp.MessageText = "Between us: ü.\r\n";
            smtp.Certificate = certificate;
            smtp.AddRecipientCert(File.ReadAllBytes(recipient));
            smtp.SignAndEncrypt();
            smtp.Send();
        }
    }

    private static void Read(string message, string recipient)
    {
        using (var smtp = new Ssmtp.Ssmtp())
        using (Certificate certificate = WithKey(recipient))
        {
            smtp.Certificate = certificate;
            byte[] content = smtp.VerifySignature(smtp.Decrypt(File.ReadAllBytes(message)));
            using (Certificate signer = smtp.SignerCert)
            {
                Console.WriteLine("Signed by " + signer.Subject);
            }
            using (Stream output = Console.OpenStandardOutput())
            {
                Console.Out.Flush();
                output.Write(content, 0, content.Length);
            }
        }
    }
}
