// The certificate type. Its fields are in Generated/CertificateFields.g.cs.

using System;

namespace Ssmtp
{
    /// <summary>
    /// A certificate, with its private key where there is one. A component takes a copy when it is given one and gives a copy
    /// when it is asked for one.
    /// </summary>
    public sealed partial class Certificate : IDisposable
    {
        private readonly SsmtpCertHandle handle;

        /// <summary>An empty certificate, to be filled by setting its fields.</summary>
        public Certificate()
            : this(SsmtpCertHandle.New((out SsmtpCertHandle made) => Native.ssmtp_cert_new(out made)))
        {
        }

        /// <summary>The first certificate of a file, PEM or DER.</summary>
        public Certificate(string certificateFile)
            : this(SsmtpCertHandle.New(
                (out SsmtpCertHandle made) => Native.ssmtp_cert_new_file(Utf8.Bytes(certificateFile), out made)))
        {
        }

        /// <summary>The first certificate of the octets, PEM or DER.</summary>
        public Certificate(byte[] certificateData)
            : this(SsmtpCertHandle.New(
                (out SsmtpCertHandle made) =>
                    Native.ssmtp_cert_new_data(certificateData, Octets.Length(certificateData), out made)))
        {
        }

        /// <summary>The entry of a store that <paramref name="subject"/> names; <c>*</c> is the first one with a key.</summary>
        public Certificate(CertStoreTypes certStoreType, string store, string storePassword, string subject)
            : this(certStoreType, store, storePassword, subject, null)
        {
        }

        /// <summary>The same, refined by <c>Name=Value</c> lines.</summary>
        public Certificate(
            CertStoreTypes certStoreType, string store, string storePassword, string subject, string configurationString)
            : this(Opened(
                storePassword,
                (byte[] password, out SsmtpCertHandle made) => Native.ssmtp_cert_new_store(
                    (int)certStoreType,
                    Utf8.Bytes(store),
                    password,
                    Utf8.Bytes(subject),
                    Utf8.Bytes(configurationString),
                    out made)))
        {
        }

        /// <summary>A given certificate, whose private key is searched in the store.</summary>
        public Certificate(CertStoreTypes certStoreType, string store, string storePassword, byte[] encoded)
            : this(Opened(
                storePassword,
                (byte[] password, out SsmtpCertHandle made) => Native.ssmtp_cert_new_store_encoded(
                    (int)certStoreType, Utf8.Bytes(store), password, encoded, Octets.Length(encoded), out made)))
        {
        }

        /// <summary>The entry of a store given as octets that <paramref name="subject"/> names.</summary>
        public Certificate(CertStoreTypes certStoreType, byte[] storeBlob, string storePassword, string subject)
            : this(certStoreType, storeBlob, storePassword, subject, null)
        {
        }

        /// <summary>The same, refined by <c>Name=Value</c> lines.</summary>
        public Certificate(
            CertStoreTypes certStoreType, byte[] storeBlob, string storePassword, string subject, string configurationString)
            : this(Opened(
                storePassword,
                (byte[] password, out SsmtpCertHandle made) => Native.ssmtp_cert_new_store_data(
                    (int)certStoreType,
                    storeBlob,
                    Octets.Length(storeBlob),
                    password,
                    Utf8.Bytes(subject),
                    Utf8.Bytes(configurationString),
                    out made)))
        {
        }

        /// <summary>A given certificate, whose private key is searched in a store given as octets.</summary>
        public Certificate(CertStoreTypes certStoreType, byte[] storeBlob, string storePassword, byte[] encoded)
            : this(Opened(
                storePassword,
                (byte[] password, out SsmtpCertHandle made) =>
                {
                    // C takes the store as Base64 here; it has the private key in it.
                    byte[] store = Octets.Base64(storeBlob);
                    try
                    {
                        return Native.ssmtp_cert_new_store_encoded(
                            (int)certStoreType, store, password, encoded, Octets.Length(encoded), out made);
                    }
                    finally
                    {
                        Octets.Wipe(store);
                    }
                }))
        {
        }

        internal Certificate(SsmtpCertHandle handle)
        {
            this.handle = handle;
        }

        /// <summary>Releases the certificate and its key.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }

        /// <summary>What C is given for a certificate; null is NULL, which empties the property.</summary>
        internal static SsmtpCertHandle HandleOf(Certificate certificate)
        {
            return certificate == null ? SsmtpCertHandle.None : certificate.handle;
        }

        internal static void Check(int code)
        {
            if (code != 0)
            {
                throw SsmtpException.Of(code, IntPtr.Zero);
            }
        }

        private delegate int Opener(byte[] password, out SsmtpCertHandle made);

        private static SsmtpCertHandle Opened(string storePassword, Opener opener)
        {
            byte[] password = Utf8.Bytes(storePassword);
            try
            {
                return SsmtpCertHandle.New((out SsmtpCertHandle made) => opener(password, out made));
            }
            finally
            {
                Octets.Wipe(password);
            }
        }
    }
}
