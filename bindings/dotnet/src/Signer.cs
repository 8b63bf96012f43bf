// Private keys that stay with the caller: .NET's own key objects, or a function of scheme and digest.

using System;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;

namespace Ssmtp
{
    /// <summary>
    /// Signs a digest (for Ed25519 and Ed448 the message itself). The length of the digest tells its hash. Signatures of ECDSA and
    /// DSA are DER.
    /// </summary>
    public delegate byte[] SignFunction(SignSchemes scheme, byte[] digest);

    internal static partial class Native
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int SignCallback(
            IntPtr userdata, int scheme, IntPtr input, UIntPtr length, IntPtr signature, ref UIntPtr signatureLength);
    }

    public sealed partial class Certificate
    {
        /// <summary>
        /// Lets something else sign for this certificate, wherever its private key is wanted. It is called in the threads of the
        /// operations, several at a time. What it throws is the <see cref="Exception.InnerException"/> of the error that the operation
        /// ends with. RemoveSigner, and setting Subject or Encoded, end it.
        /// </summary>
        public void SetSigner(SignFunction sign)
        {
            if (sign == null)
            {
                throw new ArgumentNullException(nameof(sign));
            }
            IntPtr token = Signer.Add(sign);
            int code = Native.ssmtp_cert_set_signer(handle, Signer.SignDigest, Signer.CloseSigner, token);
            if (code != 0)
            {
                Signer.Forget(token);
                Check(code);
            }
        }

        /// <summary>Signs with an RSA key of .NET, which may be in hardware. The key is not disposed.</summary>
        public void SetSigner(RSA key)
        {
            SetSigner(Signer.Of(key ?? throw new ArgumentNullException(nameof(key))));
        }

        /// <summary>Signs with an ECDSA key of .NET. The key is not disposed.</summary>
        public void SetSigner(ECDsa key)
        {
            SetSigner(Signer.Of(key ?? throw new ArgumentNullException(nameof(key))));
        }

        /// <summary>Signs with the private key of a certificate of .NET, RSA or ECDSA.</summary>
        public void SetSigner(X509Certificate2 certificate)
        {
            if (certificate == null)
            {
                throw new ArgumentNullException(nameof(certificate));
            }
            RSA rsa = certificate.GetRSAPrivateKey();
            if (rsa != null)
            {
                SetSigner(rsa);
                return;
            }
            ECDsa ecdsa = certificate.GetECDsaPrivateKey();
            if (ecdsa == null)
            {
                throw new ArgumentException("the certificate has no private key of RSA or ECDSA", nameof(certificate));
            }
            SetSigner(ecdsa);
        }

        /// <summary>Takes the signer away, and with it the private key.</summary>
        public void RemoveSigner()
        {
            Check(Native.ssmtp_cert_set_signer(handle, null, null, IntPtr.Zero));
        }
    }

    /// <summary>What C calls to sign. C holds a number, never a pointer into managed memory.</summary>
    internal static class Signer
    {
        internal static readonly Native.SignCallback SignDigest = Sign;
        internal static readonly Native.CloseCallback CloseSigner = Forget;

        private static readonly ConcurrentDictionary<IntPtr, SignFunction> All = new ConcurrentDictionary<IntPtr, SignFunction>();
        private static int last;

        [ThreadStatic]
        private static Exception thrown;

        /// <summary>How many C may still ask; for tests.</summary>
        internal static int Count
        {
            get { return All.Count; }
        }

        internal static IntPtr Add(SignFunction sign)
        {
            var token = new IntPtr(Interlocked.Increment(ref last));
            All[token] = sign;
            return token;
        }

        internal static void Forget(IntPtr token)
        {
            All.TryRemove(token, out SignFunction _);
        }

        /// <summary>What a signer threw on this thread since the last time; the cause of the error that it led to.</summary>
        internal static Exception Thrown()
        {
            Exception found = thrown;
            thrown = null;
            return found;
        }

        internal static SignFunction Of(RSA key)
        {
            return (scheme, digest) => key.SignHash(
                digest, Name(digest.Length), scheme == SignSchemes.sgnRSAPSS ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        }

        internal static SignFunction Of(ECDsa key)
        {
            return (scheme, digest) => Der(key.SignHash(digest));
        }

        private static HashAlgorithmName Name(int length)
        {
            switch (length)
            {
                case 16: return HashAlgorithmName.MD5;
                case 20: return HashAlgorithmName.SHA1;
                case 32: return HashAlgorithmName.SHA256;
                case 48: return HashAlgorithmName.SHA384;
                case 64: return HashAlgorithmName.SHA512;
                default: return new HashAlgorithmName("SHA224");
            }
        }

        /// <summary>.NET gives the two numbers of an ECDSA signature side by side; C wants them as a SEQUENCE.</summary>
        private static byte[] Der(byte[] pair)
        {
            byte[] r = Integer(pair, 0, pair.Length / 2);
            byte[] s = Integer(pair, pair.Length / 2, pair.Length - (pair.Length / 2));
            int length = r.Length + s.Length;
            byte[] head = length < 0x80 ? new byte[] { 0x30, (byte)length } : new byte[] { 0x30, 0x81, (byte)length };
            var all = new byte[head.Length + length];
            head.CopyTo(all, 0);
            r.CopyTo(all, head.Length);
            s.CopyTo(all, head.Length + r.Length);
            return all;
        }

        private static byte[] Integer(byte[] from, int start, int count)
        {
            while (count > 1 && from[start] == 0)
            {
                start++;
                count--;
            }
            int sign = from[start] >= 0x80 ? 1 : 0;
            var all = new byte[2 + sign + count];
            all[0] = 2;
            all[1] = (byte)(sign + count);
            Buffer.BlockCopy(from, start, all, 2 + sign, count);
            return all;
        }

        private static int Sign(
            IntPtr token, int scheme, IntPtr input, UIntPtr length, IntPtr signature, ref UIntPtr signatureLength)
        {
            try
            {
                var digest = new byte[(int)length];
                Marshal.Copy(input, digest, 0, digest.Length);
                byte[] made = All[token]((SignSchemes)scheme, digest);
                if ((ulong)made.Length > signatureLength.ToUInt64())
                {
                    throw new CryptographicException("a signature of " + made.Length + " bytes");
                }
                Marshal.Copy(made, 0, signature, made.Length);
                signatureLength = new UIntPtr((uint)made.Length);
                return 0;
            }
            catch (Exception error)
            {
                thrown = error;
                return -1;
            }
        }
    }
}
