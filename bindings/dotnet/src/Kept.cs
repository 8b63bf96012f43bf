using System;
using System.Runtime.ExceptionServices;

namespace Ssmtp
{
    /// <summary>
    /// An exception cannot travel through C. What a handler or a stream throws is kept here while the operation ends, and the
    /// method that was running throws it again, with its stack. Callbacks run on the thread of their method, so one place for
    /// each thread is enough.
    /// </summary>
    internal static class Kept
    {
        [ThreadStatic]
        private static ExceptionDispatchInfo error;

        [ThreadStatic]
        private static IntPtr owner;

        internal static bool IsSet(IntPtr handle)
        {
            return error != null && owner == handle;
        }

        /// <summary>The first exception counts; what follows from it while the operation ends is dropped.</summary>
        internal static void Set(IntPtr handle, Exception exception)
        {
            if (!IsSet(handle))
            {
                error = ExceptionDispatchInfo.Capture(exception);
                owner = handle;
            }
        }

        internal static void Throw(IntPtr handle)
        {
            if (IsSet(handle))
            {
                ExceptionDispatchInfo kept = error;
                error = null;
                kept.Throw();
            }
        }
    }
}
