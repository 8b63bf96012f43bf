// The owners of the C handles.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace Ssmtp
{
    /// <summary>A handle of the component. The library forgets it when nobody uses it any more and no call is under way.</summary>
    internal sealed class SsmtpHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        // Weak: what a callback finds here must not keep its owner alive. The callbacks themselves are static and find their
        // object by the handle, so the collector never takes a function pointer that C still holds.
        private static readonly ConcurrentDictionary<IntPtr, WeakReference<Ssmtp>> Owners =
            new ConcurrentDictionary<IntPtr, WeakReference<Ssmtp>>();

        private readonly HashSet<IntPtr> streams = new HashSet<IntPtr>();
        private int deleted;

        private SsmtpHandle()
            : base(true)
        {
        }

        /// <summary>Stands for a pointer that this object does not own; for tests.</summary>
        internal SsmtpHandle(IntPtr pointer)
            : base(false)
        {
            SetHandle(pointer);
        }

        /// <summary>The pointer: a mere number, which the library never follows.</summary>
        internal IntPtr Id
        {
            get { return handle; }
        }

        internal static SsmtpHandle New(Ssmtp owner)
        {
            LibrarySearch.Prepare();
            SsmtpHandle made = NativeNew();
            if (made.IsInvalid)
            {
                throw new OutOfMemoryException();
            }
            Owners[made.handle] = new WeakReference<Ssmtp>(owner);
            return made;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static SsmtpHandle NativeNew()
        {
            return Native.ssmtp_new_utf8();
        }

        internal static Ssmtp OwnerOf(IntPtr pointer)
        {
            return Owners.TryGetValue(pointer, out WeakReference<Ssmtp> reference) && reference.TryGetTarget(out Ssmtp owner)
                ? owner
                : null;
        }

        /// <summary>Keeps a stream that C reads from until it is released or the handle goes.</summary>
        internal IntPtr Hold(System.IO.Stream stream)
        {
            IntPtr token = MessageStream.Add(handle, stream);
            lock (streams)
            {
                streams.Add(token);
                if (deleted != 0)
                {
                    MessageStream.Forget(token);
                }
            }
            return token;
        }

        internal void Release(IntPtr token)
        {
            lock (streams)
            {
                streams.Remove(token);
            }
            MessageStream.Forget(token);
        }

        /// <summary>
        /// Ends the C object at once, also while a call uses it; that call then returns 301. The library knows dead handles, so
        /// there is no need to wait for it.
        /// </summary>
        internal void Delete()
        {
            if (Interlocked.Exchange(ref deleted, 1) == 0)
            {
                Owners.TryRemove(handle, out WeakReference<Ssmtp> _);
                Native.ssmtp_delete(handle);
                lock (streams)
                {
                    foreach (IntPtr token in streams)
                    {
                        MessageStream.Forget(token);
                    }
                }
            }
        }

        protected override bool ReleaseHandle()
        {
            Delete();
            return true;
        }
    }

    internal sealed class SsmtpCertHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        /// <summary>One of the C functions that make a certificate.</summary>
        internal delegate int Maker(out SsmtpCertHandle made);

        /// <summary>NULL.</summary>
        internal static readonly SsmtpCertHandle None = new SsmtpCertHandle(IntPtr.Zero);

        private SsmtpCertHandle()
            : base(true)
        {
        }

        /// <summary>Stands for a pointer that this object does not own.</summary>
        internal SsmtpCertHandle(IntPtr pointer)
            : base(false)
        {
            SetHandle(pointer);
        }

        internal static SsmtpCertHandle New(Maker maker)
        {
            LibrarySearch.Prepare();
            int code = maker(out SsmtpCertHandle made);
            Certificate.Check(code);
            return made;
        }

        protected override bool ReleaseHandle()
        {
            return Native.ssmtp_cert_delete(handle) == 0;
        }
    }
}
