// The component. Its properties, plain methods and events are in Generated/.

using System;
using System.Runtime.CompilerServices;

namespace Ssmtp
{
    /// <summary>
    /// Sends Internet mail. Any thread may use an object; while one of its blocking methods runs, another one fails with 166,
    /// and properties can still be read and set. Event handlers run on the thread of the method that fires them; an exception
    /// they throw stops the operation and comes out of that method.
    /// </summary>
    public sealed partial class Ssmtp : IDisposable
    {
        private readonly SsmtpHandle handle;
        private readonly object handlerLock = new object();

        /// <summary>A component with everything at its default.</summary>
        public Ssmtp()
        {
            handle = SsmtpHandle.New(this);
            messageRecipients = new MessageRecipientList(this);
            messageHeaders = new HeaderList(this);
        }

        /// <summary>Version of the native library.</summary>
        public static string Version
        {
            get
            {
                LibrarySearch.Prepare();
                return NativeVersion();
            }
        }

        /// <summary>
        /// Reads any property by its name as text, the flattened and indexed names too: <c>SSLServerCertSubject</c>,
        /// <c>MessageRecipientAddress[0]</c>. Booleans read True or False, enumerations and numbers decimal, octets Base64.
        /// </summary>
        public string Get(string name)
        {
            Check(Native.ssmtp_get(handle, Utf8.Bytes(name), out IntPtr value));
            return Utf8.Take(value);
        }

        /// <summary>Sets any property by its name from text; enumerations take the number or the member's name.</summary>
        public void Set(string name, string value)
        {
            byte[] text = Utf8.Bytes(value);
            try
            {
                Check(Native.ssmtp_set(handle, Utf8.Bytes(name), text));
                if (string.Equals(name, nameof(AttachedFile), StringComparison.OrdinalIgnoreCase))
                {
                    LetGoOfMessageStream(value);
                }
            }
            finally
            {
                Octets.Wipe(text);
            }
        }

        /// <summary>Reads a setting (<c>Name</c>), or sets it (<c>Name=Value</c>) and returns an empty text.</summary>
        public string Config(string configurationString)
        {
            byte[] text = Utf8.Bytes(configurationString);
            try
            {
                Check(Native.ssmtp_config(handle, text, out IntPtr value));
                return Utf8.Take(value);
            }
            finally
            {
                Octets.Wipe(text);
            }
        }

        /// <summary>
        /// Ends the object: a method that runs is interrupted, the connection closed. It may be called in an event handler and
        /// from any thread.
        /// </summary>
        public void Dispose()
        {
            handle.Delete();
            handle.Dispose();
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static string NativeVersion()
        {
            return Utf8.Read(Native.ssmtp_version());
        }

        internal SsmtpHandle Handle
        {
            get { return handle; }
        }

        /// <summary>After every call: what a handler threw meanwhile, else the error that the call returned.</summary>
        internal void Check(int code)
        {
            Kept.Throw(handle.Id);
            if (code == SsmtpErrorCodes.ClosedHandle)
            {
                throw new ObjectDisposedException(nameof(Ssmtp));
            }
            if (code != 0)
            {
                throw SsmtpException.Of(code, handle.Id);
            }
            GC.KeepAlive(this);
        }
    }
}
