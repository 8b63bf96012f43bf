// Keys that stay with the caller: messages signed through a callback, verified by openssl.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ssmtp.Tests
{
    public static class SignerTests
    {
        private static readonly string Folder = FindFolder();

        public static void an_rsa_key_of_dotnet_signs_and_openssl_verifies()
        {
            using (RSA key = RSA.Create())
            {
                key.FromXmlString(File.ReadAllText(Name("rsa.xml")));
                using (var certificate = new Certificate(Name("rsa.crt")))
                {
                    Check.Equal(false, certificate.PrivateKeyAvailable);
                    certificate.SetSigner(key);
                    Check.Equal(true, certificate.PrivateKeyAvailable);
                    Check.Equal("", certificate.PrivateKey);
                    Check.Equal(true, Verified(Signed(certificate), "rsa.crt").Contains("signed elsewhere"));
                }
            }
        }

        public static void the_key_of_a_certificate_of_dotnet_signs()
        {
            using (var store = new X509Certificate2(Name("legacy.pfx"), "secret"))
            using (var certificate = new Certificate(Name("rsa.crt")))
            {
                certificate.SetSigner(store);
                Check.Equal(true, Verified(Signed(certificate), "rsa.crt").Contains("signed elsewhere"));
            }
        }

        public static void a_function_signs_and_is_told_scheme_and_digest()
        {
            var seen = new List<string>();
            foreach (string kind in new[] { "rsa", "p256", "p384" })
            {
                using (var certificate = new Certificate(Name(kind + ".crt")))
                {
                    certificate.SetSigner((scheme, digest) =>
                    {
                        seen.Add(scheme + " " + digest.Length);
                        return OpenSslSigns(kind, digest);
                    });
                    Check.Equal(true, Verified(Signed(certificate), kind + ".crt").Contains("signed elsewhere"));
                }
            }
            Check.Equal("sgnRSAPKCS1 32, sgnECDSA 32, sgnECDSA 32", string.Join(", ", seen));
        }

        public static void a_signer_survives_the_collector_and_goes_with_its_certificate()
        {
            int before = Signer.Count;
            using (var certificate = new Certificate(Name("rsa.crt")))
            {
                SetCollecting(certificate);
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Check.Equal(true, Verified(Signed(certificate), "rsa.crt").Contains("signed elsewhere"));
                Check.Equal(before + 1, Signer.Count);
            }
            Check.Equal(before, Signer.Count);
        }

        // A frame of its own, so that nothing but the library holds the function.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void SetCollecting(Certificate certificate)
        {
            certificate.SetSigner((scheme, digest) =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return OpenSslSigns("rsa", digest);
            });
        }

        public static void what_a_signer_throws_is_the_inner_exception()
        {
            using (var certificate = new Certificate(Name("rsa.crt")))
            {
                certificate.SetSigner((scheme, digest) => throw new InvalidDataException("the card is out"));
                try
                {
                    Signed(certificate);
                    Check.Equal("an exception", "none");
                }
                catch (SsmtpException error)
                {
                    Check.Equal(SsmtpErrorCodes.Encrypt, error.Code);
                    Check.Equal("the card is out", error.InnerException?.Message);
                }
            }
        }

        public static void a_signature_of_another_key_is_refused()
        {
            using (var certificate = new Certificate(Name("p256.crt")))
            {
                certificate.SetSigner((scheme, digest) => OpenSslSigns("p384", digest));
                try
                {
                    Signed(certificate);
                    Check.Equal("an exception", "none");
                }
                catch (SsmtpException error)
                {
                    Check.Equal(true, error.Message.Contains("no signature of the certificate's key"), error.Message);
                }
            }
        }

        public static void a_signer_lives_as_long_as_somebody_may_use_it()
        {
            int before = Signer.Count;
            using (var smtp = new Ssmtp())
            {
                using (var certificate = new Certificate(Name("p256.crt")))
                {
                    certificate.SetSigner((scheme, digest) => OpenSslSigns("p256", digest));
                    smtp.Certificate = certificate;
                }
                smtp.MessageText = "still signed\r\n";
                smtp.Sign();
                Check.Equal(before + 1, Signer.Count);
                smtp.Certificate = null;
            }
            Check.Equal(before, Signer.Count);
            using (var certificate = new Certificate(Name("p256.crt")))
            {
                certificate.SetSigner((scheme, digest) => OpenSslSigns("p256", digest));
                certificate.RemoveSigner();
                Check.Equal(false, certificate.PrivateKeyAvailable);
                Check.Equal(before, Signer.Count);
            }
            using (var empty = new Certificate())
            {
                Check.Fails(272, () => empty.SetSigner((scheme, digest) => digest));
            }
            Check.Equal(before, Signer.Count);
        }

        private static string Signed(Certificate certificate)
        {
            using (var smtp = new Ssmtp())
            {
                smtp.MessageText = "Hello,\r\nthis is signed elsewhere.\r\n";
                smtp.Certificate = certificate;
                smtp.Sign();
                return smtp.OtherHeaders + "\r\n" + smtp.MessageText;
            }
        }

        private static string Verified(string entity, string certificate)
        {
            string message = Path.GetTempFileName();
            try
            {
                File.WriteAllText(message, entity);
                return OpenSsl("cms -verify -in " + message + " -certfile " + certificate + " -noverify -purpose any");
            }
            finally
            {
                File.Delete(message);
            }
        }

        private static byte[] OpenSslSigns(string kind, byte[] digest)
        {
            string input = Path.GetTempFileName();
            string output = Path.GetTempFileName();
            try
            {
                File.WriteAllBytes(input, digest);
                string hash = digest.Length == 32 ? "sha256" : digest.Length == 48 ? "sha384" : "sha512";
                OpenSsl("pkeyutl -sign -inkey " + kind + ".p8 -pkeyopt digest:" + hash + " -in " + input + " -out " + output);
                return File.ReadAllBytes(output);
            }
            finally
            {
                File.Delete(input);
                File.Delete(output);
            }
        }

        private static string OpenSsl(string arguments)
        {
            var start = new ProcessStartInfo("openssl", arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = Folder,
            };
            using (Process process = Process.Start(start))
            {
                string text = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                Check.Equal(0, process.ExitCode, arguments);
                return text;
            }
        }

        private static string Name(string file)
        {
            return Path.Combine(Folder, file);
        }

        private static string FindFolder()
        {
            foreach (string start in new[] { Directory.GetCurrentDirectory(), AppDomain.CurrentDomain.BaseDirectory })
            {
                for (var folder = new DirectoryInfo(start); folder != null; folder = folder.Parent)
                {
                    string found = Path.Combine(folder.FullName, "tests", "data", "certs");
                    if (Directory.Exists(found))
                    {
                        return found;
                    }
                }
            }
            throw new DirectoryNotFoundException("tests/data/certs");
        }
    }
}
