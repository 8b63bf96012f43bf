// A System.IO.Stream as body or attachment of a message.

using System;
using System.Collections.Concurrent;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;

namespace Ssmtp
{
    /// <summary>What C calls to read a stream. C holds a number, never a pointer into managed memory.</summary>
    internal sealed class MessageStream
    {
        internal static readonly Native.ReadCallback ReadStream = Read;
        internal static readonly Native.CloseCallback CloseStream = Close;

        private static readonly ConcurrentDictionary<IntPtr, MessageStream> All = new ConcurrentDictionary<IntPtr, MessageStream>();
        private static int last;

        private readonly IntPtr handle;
        private readonly Stream stream;
        private byte[] buffer = new byte[0];

        private MessageStream(IntPtr handle, Stream stream)
        {
            this.handle = handle;
            this.stream = stream;
        }

        /// <summary>How many streams C may still ask for; for tests.</summary>
        internal static int Count
        {
            get { return All.Count; }
        }

        internal static IntPtr Add(IntPtr handle, Stream stream)
        {
            var token = new IntPtr(Interlocked.Increment(ref last));
            All[token] = new MessageStream(handle, stream);
            return token;
        }

        internal static void Forget(IntPtr token)
        {
            All.TryRemove(token, out MessageStream _);
        }

        /// <summary>Bytes still to come, -1 when the stream cannot say.</summary>
        internal static long SizeOf(Stream stream)
        {
            try
            {
                return stream.CanSeek ? Math.Max(0, stream.Length - stream.Position) : -1;
            }
            catch (NotSupportedException)
            {
                return -1;
            }
        }

        private static long Read(IntPtr token, IntPtr target, UIntPtr size)
        {
            if (!All.TryGetValue(token, out MessageStream source))
            {
                return -1;
            }
            try
            {
                int wanted = (int)Math.Min(size.ToUInt64(), 1 << 20);
                if (source.buffer.Length < wanted)
                {
                    source.buffer = new byte[wanted];
                }
                int count = source.stream.Read(source.buffer, 0, wanted);
                Marshal.Copy(source.buffer, 0, target, count);
                return count;
            }
            catch (Exception error)
            {
                Kept.Set(source.handle, error);
                return -1;
            }
        }

        /// <summary>The transfer is over, and CloseStreamAfterTransfer is True; C does not read it any more.</summary>
        private static void Close(IntPtr token)
        {
            if (!All.TryRemove(token, out MessageStream source))
            {
                return;
            }
            try
            {
                source.stream.Dispose();
            }
            catch (Exception error)
            {
                Kept.Set(source.handle, error);
            }
        }
    }
}
