using System;

namespace Ssmtp
{
    /// <summary>An operation failed. <see cref="Code"/> is the number, <see cref="Exception.Message"/> one line about it.</summary>
    public class SsmtpException : Exception
    {
        /// <summary>An exception with a number and a text.</summary>
        public SsmtpException(int code, string message)
            : this(code, message, null)
        {
        }

        /// <summary>An exception with a number, a text, and what led to it.</summary>
        public SsmtpException(int code, string message, Exception innerException)
            : base(message, innerException)
        {
            Code = code;
        }

        /// <summary>The number of the error; <see cref="SsmtpErrorCodes"/> names them.</summary>
        public int Code { get; }

        /// <summary>What this thread was told last about a handle, or, with no handle, about a call that had none.</summary>
        internal static SsmtpException Of(int code, IntPtr handle)
        {
            string message = "";
            if (Native.ssmtp_last_error(handle, out IntPtr text) == 0)
            {
                message = Utf8.Take(text);
            }
            if (message.Length == 0)
            {
                message = Utf8.Read(Native.ssmtp_error_text(code));
            }
            // These end an operation that a signer refused.
            bool signing = code == SsmtpErrorCodes.Encrypt || code == SsmtpErrorCodes.Credentials;
            return new SsmtpException(code, message, signing ? Signer.Thrown() : null);
        }
    }
}
