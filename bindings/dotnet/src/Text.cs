// Text and octets on their way to and from C: UTF-8 by hand, since no `char *` marshalling of the runtimes is UTF-8 everywhere.

using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Ssmtp
{
    internal static class Utf8
    {
        private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

        /// <summary>The text with a NUL at its end; null stays null, which C reads as empty.</summary>
        internal static byte[] Bytes(string text)
        {
            if (text == null)
            {
                return null;
            }
            if (text.IndexOf('\0') >= 0)
            {
                throw new SsmtpException(SsmtpErrorCodes.ValueRefused, "text cannot hold a NUL character");
            }
            try
            {
                var bytes = new byte[Strict.GetByteCount(text) + 1];
                Strict.GetBytes(text, 0, text.Length, bytes, 0);
                return bytes;
            }
            catch (EncoderFallbackException)
            {
                throw new SsmtpException(SsmtpErrorCodes.ValueRefused, "text holds half of a surrogate pair");
            }
        }

        /// <summary>Text of a known length, which C keeps.</summary>
        internal static unsafe string Read(IntPtr text, UIntPtr length)
        {
            int count = checked((int)length.ToUInt64());
            return text == IntPtr.Zero || count == 0 ? "" : Encoding.UTF8.GetString((byte*)text, count);
        }

        /// <summary>Text up to its NUL, which C keeps.</summary>
        internal static unsafe string Read(IntPtr text)
        {
            if (text == IntPtr.Zero)
            {
                return "";
            }
            byte* end = (byte*)text;
            while (*end != 0)
            {
                end++;
            }
            return Read(text, (UIntPtr)(ulong)(end - (byte*)text));
        }

        /// <summary>Text that C gave away: read and released.</summary>
        internal static string Take(IntPtr text)
        {
            try
            {
                return Read(text);
            }
            finally
            {
                Native.ssmtp_free(text);
            }
        }
    }

    internal static class Octets
    {
        internal static UIntPtr Length(byte[] octets)
        {
            return octets == null ? UIntPtr.Zero : (UIntPtr)(ulong)octets.LongLength;
        }

        internal static byte[] Read(IntPtr octets, UIntPtr length)
        {
            var copy = new byte[checked((int)length.ToUInt64())];
            if (octets != IntPtr.Zero)
            {
                Marshal.Copy(octets, copy, 0, copy.Length);
            }
            return copy;
        }

        internal static byte[] Take(IntPtr octets, UIntPtr length)
        {
            try
            {
                return Read(octets, length);
            }
            finally
            {
                Native.ssmtp_free(octets);
            }
        }

        /// <summary>Base64 with a NUL at its end, in memory that can be wiped; null stays null.</summary>
        internal static byte[] Base64(byte[] octets)
        {
            if (octets == null)
            {
                return null;
            }
            var letters = new char[(octets.Length + 2) / 3 * 4];
            Convert.ToBase64CharArray(octets, 0, octets.Length, letters, 0);
            var text = new byte[letters.Length + 1];
            for (int i = 0; i < letters.Length; i++)
            {
                text[i] = (byte)letters[i];
            }
            Array.Clear(letters, 0, letters.Length);
            return text;
        }

        /// <summary>Overwrites a secret that is not needed any more.</summary>
        internal static void Wipe(byte[] secret)
        {
            if (secret != null)
            {
                Array.Clear(secret, 0, secret.Length);
            }
        }
    }
}
