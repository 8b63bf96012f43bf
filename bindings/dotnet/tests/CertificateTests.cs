// Certificates: fields against what openssl prints, every constructor, every kind of store, and the rows by name.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Ssmtp.Tests
{
    public static class CertificateTests
    {
        private const string Secret = "secret";

        private static readonly string[] Kinds = { "rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448", "dsa", "ca" };

        private static readonly string Folder = FindFolder();

        /// <summary>The fields of a certificate by the specification's names.</summary>
        private static readonly PropertyInfo[] Fields =
            typeof(Certificate).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly);

        public static void fields_are_what_openssl_prints()
        {
            foreach (string kind in Kinds)
            {
                using (var certificate = new Certificate(Name(kind + ".crt")))
                {
                    Check.Equal(X509(kind, "-serial"), certificate.SerialNumber, kind);
                    string md5 = X509(kind, "-fingerprint -md5");
                    string sha1 = X509(kind, "-fingerprint -sha1");
                    string sha256 = X509(kind, "-fingerprint -sha256");
                    Check.Equal(md5.ToLowerInvariant(), certificate.Fingerprint, kind);
                    Check.Equal(sha1.ToLowerInvariant(), certificate.FingerprintSHA1, kind);
                    Check.Equal(sha256.ToLowerInvariant(), certificate.FingerprintSHA256, kind);
                    Check.Equal(md5.Replace(":", ""), certificate.ThumbprintMD5, kind);
                    Check.Equal(sha1.Replace(":", ""), certificate.ThumbprintSHA1, kind);
                    Check.Equal(sha256.Replace(":", ""), certificate.ThumbprintSHA256, kind);
                    Check.Equal(OpenSsl("x509 -noout -pubkey -in " + kind + ".crt"), certificate.PublicKey, kind);
                    Check.Equal(OpenSsl("x509 -in " + kind + ".crt"), certificate.Encoded, kind);
                    Check.Equal(Der(certificate.Encoded), certificate.EncodedB, kind);
                    Check.Equal(Local(X509(kind, "-startdate")), certificate.EffectiveDate, kind);
                    Check.Equal("V3", certificate.Version, kind);
                    Check.Equal("", certificate.PrivateKey + certificate.PrivateKeyContainer, kind);
                    Check.Equal(false, certificate.PrivateKeyAvailable, kind);
                }
            }
        }

        public static void names_usages_and_lists_are_as_documented()
        {
            using (var leaf = new Certificate(Name("rsa.crt")))
            {
                Check.Equal(
                    "0.9.2342.19200300.100.1.25=example, E=ann@example.com, CN=\"Leaf, Example\", OU=A + OU=B, O=Example, "
                        + "L=München, S=Bavaria, C=DE",
                    leaf.Subject);
                Check.Equal("CN=\"Root \\\"One\\\"\", O=\"Test, Inc.\", C=DE", leaf.Issuer);
                Check.Equal(
                    "mail.example.com,ann@example.com,192.0.2.1,2001:db8::1,https://example.com/,1.2.3.4,CN=Other,jörg@example.com",
                    leaf.SubjectAltNames);
                Check.Equal("Digital Signatures,Key Authentication,Key Encryption,Data Encryption", leaf.Usage);
                Check.Equal(0xF0, leaf.UsageFlags);
                Check.Equal("1.3.6.1.5.5.7.3.4,1.3.6.1.5.5.7.3.2,1.2.3.4", leaf.ExtendedKeyUsage);
            }
            var algorithms = new Dictionary<string, string>
            {
                { "rsa", "RSA 2048 ecdsa-with-SHA256" }, { "pss", "RSA 2048 rsassaPss" },
                { "p384", "EC 384 ecdsa-with-SHA256" }, { "p521", "EC 521 ecdsa-with-SHA256" },
                { "ed25519", "Ed25519 256 Ed25519" }, { "ed448", "Ed448 456 Ed448" },
                { "dsa", "DSA 2048 dsa-with-SHA256" },
            };
            foreach (KeyValuePair<string, string> kind in algorithms)
            {
                using (var certificate = new Certificate(Octets(kind.Key + ".crt")))
                {
                    Check.Equal(
                        kind.Value,
                        certificate.PublicKeyAlgorithm + " " + certificate.PublicKeyLength + " " + certificate.SignatureAlgorithm);
                }
            }
        }

        public static void every_constructor_makes_its_certificate()
        {
            byte[] store = Octets("modern.pfx");
            byte[] encoded = Octets("rsa.der");
            string path = Name("modern.pfx");
            string thumbprint = "Thumbprint=" + new Certificate(encoded).ThumbprintSHA1.ToLowerInvariant();
            var made = new[]
            {
                new Certificate(CertStoreTypes.cstPFXFile, path, Secret, "*"),
                new Certificate(CertStoreTypes.cstPFXFile, path, Secret, "*", thumbprint),
                new Certificate(CertStoreTypes.cstPFXFile, path, Secret, encoded),
                new Certificate(CertStoreTypes.cstPFXBlob, store, Secret, "leaf"),
                new Certificate(CertStoreTypes.cstPFXBlob, store, Secret, "", "PersistPFXKey=True\n" + thumbprint),
                new Certificate(CertStoreTypes.cstAuto, store, Secret, encoded),
            };
            foreach (Certificate certificate in made)
            {
                using (certificate)
                {
                    Check.Contains("Leaf", certificate.Subject);
                    Check.Equal(true, certificate.PrivateKeyAvailable);
                    Check.Contains("BEGIN PRIVATE KEY", certificate.PrivateKey);
                    Check.Equal(Secret, certificate.StorePassword);
                }
            }
            using (var keyless = new Certificate(CertStoreTypes.cstPFXFile, path, Secret, Octets("p256.crt")))
            {
                Check.Equal("", keyless.Subject);
                Check.Equal("CN=p256.example.com", keyless.Issuer);
            }
        }

        public static void constructors_say_what_is_wrong()
        {
            string path = Name("modern.pfx");
            Check.Fails(271, () => new Certificate(Name("absent.crt")));
            Check.Fails(271, () => new Certificate((string)null));
            Check.Fails(272, () => new Certificate(path));
            Check.Fails(272, () => new Certificate(new byte[] { 1, 2 }));
            Check.Fails(272, () => new Certificate((byte[])null));
            SsmtpException wrong = Check.Fails(271, () => new Certificate(CertStoreTypes.cstPFXFile, path, "hunter2", "*"));
            Check.Contains("password", wrong.Message);
            Check.Lacks("hunter2", wrong.Message);
            Check.Fails(271, () => new Certificate(CertStoreTypes.cstPFXBlob, new byte[] { 1 }, Secret, "*"));
            Check.Fails(271, () => new Certificate(CertStoreTypes.cstPFXFile, Name("store.jks"), Secret, "*"));
            Check.Fails(272, () => new Certificate(CertStoreTypes.cstPFXFile, path, Secret, "nobody"));
            Check.Fails(272, () => new Certificate(CertStoreTypes.cstPFXFile, path, Secret, new byte[] { 1 }));
            Check.Fails(602, () => new Certificate(CertStoreTypes.cstPFXFile, path, Secret, "*", "Colour=blue"));
            Check.Fails(603, () => new Certificate(CertStoreTypes.cstPFXFile, path, Secret, "*", "Thumbprint=12"));
            byte[] both = Octets("rsa.crt").Concat(Octets("p256.p8")).ToArray();
            Check.Fails(273, () => new Certificate(CertStoreTypes.cstPEMKeyBlob, both, "", "*"));
        }

        public static void each_kind_of_store_reads_by_file_by_octets_and_by_itself()
        {
            var stores = new[]
            {
                new Store("modern.pfx", CertStoreTypes.cstPFXFile, CertStoreTypes.cstPFXBlob, Secret, true),
                new Store("legacy.pfx", CertStoreTypes.cstPFXFile, CertStoreTypes.cstPFXBlob, Secret, true),
                new Store("store.jks", CertStoreTypes.cstJKSFile, CertStoreTypes.cstJKSBlob, Secret, true),
                new Store("store.bcfks", CertStoreTypes.cstBCFKSFile, CertStoreTypes.cstBCFKSBlob, Secret, true),
                new Store("bundle.pem", CertStoreTypes.cstPEMKeyFile, CertStoreTypes.cstPEMKeyBlob, "", true),
                new Store("rsa.crt", CertStoreTypes.cstPublicKeyFile, CertStoreTypes.cstPublicKeyBlob, "", false),
                new Store("rsa.der", CertStoreTypes.cstPublicKeyFile, CertStoreTypes.cstPublicKeyBlob, "", false),
                new Store("rsa.ssh", CertStoreTypes.cstSSHPublicKeyFile, CertStoreTypes.cstSSHPublicKeyBlob, "", false),
                new Store("chain.p7b.der", CertStoreTypes.cstP7BFile, CertStoreTypes.cstP7BBlob, "", false),
                new Store("rsa-v2-pw.ppk", CertStoreTypes.cstPPKFile, CertStoreTypes.cstPPKBlob, Secret, true),
                new Store("rsa.xml", CertStoreTypes.cstXMLFile, CertStoreTypes.cstXMLBlob, "", true),
                new Store("rsa.jwk", CertStoreTypes.cstJWKFile, CertStoreTypes.cstJWKBlob, "", true),
            };
            foreach (Store store in stores)
            {
                string name = Name(store.File);
                byte[] octets = Octets(store.File);
                string text = Convert.ToBase64String(octets);
                var shown = new HashSet<string>();
                var found = new[]
                {
                    new Certificate(store.ByFile, name, store.Password, "*"),
                    new Certificate(store.ByOctets, octets, store.Password, "*"),
                    new Certificate(store.ByOctets, text, store.Password, "*"),
                    new Certificate(CertStoreTypes.cstAuto, name, store.Password, "*"),
                    new Certificate(CertStoreTypes.cstAuto, octets, store.Password, "*"),
                    new Certificate(CertStoreTypes.cstAuto, text, store.Password, "*"),
                };
                foreach (Certificate certificate in found)
                {
                    using (certificate)
                    {
                        Check.Equal(store.HasKey, certificate.PrivateKeyAvailable, store.File);
                        shown.Add(certificate.FingerprintSHA256 + certificate.PublicKey + certificate.PrivateKey);
                    }
                }
                Check.Equal(1, shown.Count, store.File);
                if (store.Password.Length > 0)
                {
                    Check.Contains("password", Check.Fails(271, () => new Certificate(store.ByFile, name, "not-it", "*")).Message);
                    Check.Fails(271, () => new Certificate(CertStoreTypes.cstAuto, octets, "not-it", "*"));
                }
            }
        }

        public static void setting_a_field_selects()
        {
            using (var certificate = new Certificate())
            {
                certificate.Store = Name("java.pfx");
                certificate.StoreType = CertStoreTypes.cstPFXFile;
                certificate.StorePassword = Secret;
                certificate.Subject = "cn=TWO.example.com";
                Check.Equal("CN=two.example.com", certificate.Subject);
                certificate.Subject = "nobody";
                Check.Equal("", certificate.Subject + certificate.Encoded);
                certificate.StoreB = Octets("modern.pfx");
                certificate.StoreType = CertStoreTypes.cstPFXBlob;
                certificate.EncodedB = Octets("rsa.der");
                Check.Contains("Leaf", certificate.Subject);
                certificate.Encoded = Encoding.ASCII.GetString(Octets("p384.crt"));
                Check.Equal("", certificate.Subject);
                Check.Equal(384, certificate.PublicKeyLength);
                certificate.StorePassword = "wrong";
                Check.Fails(271, () => certificate.Subject = "*");
                Check.Fails(272, () => certificate.Encoded = "no certificate");
                Check.Fails(603, () => certificate.StoreType = (CertStoreTypes)55);
            }
        }

        public static void rows_by_name_are_the_fields_of_the_copy()
        {
            Check.Equal(29, Fields.Length);
            using (var smtp = new Ssmtp())
            using (var certificate = new Certificate(CertStoreTypes.cstPFXFile, Name("modern.pfx"), Secret, "*"))
            {
                smtp.SSLCert = certificate;
                smtp.SSLAcceptServerCert = certificate;
                smtp.Certificate = certificate;
                foreach (string prefix in new[] { "SSLCert", "SSLAcceptServerCert", "Certificate" })
                {
                    foreach (PropertyInfo field in Fields)
                    {
                        Check.Equal(AsText(field.GetValue(certificate, null)), smtp.Get(prefix + field.Name), prefix + field.Name);
                    }
                    smtp.Set(prefix + "Subject", "nobody");
                    Check.Equal("", smtp.Get(prefix + "Encoded"));
                    smtp.Set(prefix + "EncodedB", Convert.ToBase64String(Octets("rsa.der")));
                    Check.Contains("Leaf", smtp.Get(prefix + "Subject"));
                }
                Check.Contains("Leaf", smtp.SSLCert.Subject);
                smtp.SSLCert = null;
                Check.Equal("", smtp.SSLCert.Subject);
                Check.Contains("Leaf", certificate.Subject);
                foreach (PropertyInfo field in Fields)
                {
                    smtp.Get("SSLServerCert" + field.Name);
                    Check.Fails(604, () => smtp.Set("SSLServerCert" + field.Name, "x"));
                }
            }
        }

        private static string AsText(object value)
        {
            byte[] octets = value as byte[];
            if (octets != null)
            {
                return Convert.ToBase64String(octets);
            }
            return value is CertStoreTypes ? ((int)value).ToString() : value.ToString();
        }

        private static string Name(string file)
        {
            return Path.Combine(Folder, file);
        }

        private static byte[] Octets(string file)
        {
            return File.ReadAllBytes(Name(file));
        }

        private static byte[] Der(string pem)
        {
            string[] lines = pem.Split(new[] { '\n' }, StringSplitOptions.RemoveEmptyEntries);
            return Convert.FromBase64String(string.Concat(lines.Skip(1).Take(lines.Length - 2)));
        }

        /// <summary>`Nov 22 03:51:11 2026 GMT` as the specification writes it, in local time.</summary>
        private static string Local(string printed)
        {
            var invariant = System.Globalization.CultureInfo.InvariantCulture;
            string[] parts = printed.Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries);
            string text = string.Join(" ", parts[0], parts[1], parts[2], parts[3]);
            DateTime utc = DateTime.ParseExact(
                text, "MMM d HH:mm:ss yyyy", invariant, System.Globalization.DateTimeStyles.AssumeUniversal);
            return utc.ToLocalTime().ToString("dd-MMM-yyyy HH:mm:ss", invariant);
        }

        /// <summary>What stands behind the '=' of what `openssl x509` prints.</summary>
        private static string X509(string kind, string option)
        {
            string text = OpenSsl("x509 -noout " + option + " -in " + kind + ".crt").Trim();
            return text.Substring(text.IndexOf('=') + 1);
        }

        private static string OpenSsl(string arguments)
        {
            var start = new ProcessStartInfo("openssl", arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
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

        /// <summary>tests/data/certs, looked for from here upwards.</summary>
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

        private sealed class Store
        {
            internal Store(string file, CertStoreTypes byFile, CertStoreTypes byOctets, string password, bool hasKey)
            {
                File = file;
                ByFile = byFile;
                ByOctets = byOctets;
                Password = password;
                HasKey = hasKey;
            }

            internal string File { get; }

            internal CertStoreTypes ByFile { get; }

            internal CertStoreTypes ByOctets { get; }

            internal string Password { get; }

            internal bool HasKey { get; }
        }
    }
}
