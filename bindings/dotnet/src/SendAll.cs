// Several prepared messages over one connection.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        // What a result is before the library has written it: no error number.
        private const int Unwritten = -1;

        /// <summary>
        /// Sends the message of each object through the server and connection of this one. The commands of a message go in the
        /// same write as the end of the one before, so that a message costs one round trip where the server offers PIPELINING.
        /// </summary>
        /// <returns>A number for each message: 0 when it was sent, else its error, which also fires the Error event of this
        /// object; the others go on. 610 is a message that was given when the connection went away before the reply.</returns>
        /// <exception cref="SsmtpException">The call itself was refused (163, 166) or interrupted (301).</exception>
        public int[] SendAll(IEnumerable<Ssmtp> messages)
        {
            if (messages == null)
            {
                throw new ArgumentNullException(nameof(messages));
            }
            Ssmtp[] all = messages.ToArray();
            var handles = new IntPtr[all.Length];
            var results = new int[all.Length];
            for (int i = 0; i < all.Length; i++)
            {
                if (all[i] == null)
                {
                    throw new ArgumentException("a message is null", nameof(messages));
                }
                handles[i] = all[i].handle.Id;
                results[i] = Unwritten;
            }
            int code = Native.ssmtp_send_all(handle, handles, (UIntPtr)(uint)all.Length, results);
            GC.KeepAlive(all);
            bool told = all.Length > 0 && results[0] != Unwritten && !results.Contains(SsmtpErrorCodes.Interrupted);
            Check(told ? 0 : code);
            return results;
        }

        /// <summary>SendAll on a thread of its own, where the event handlers run too. Cancelling interrupts it, and the task ends
        /// as cancelled.</summary>
        /// <param name="messages">The messages.</param>
        /// <param name="cancellationToken">Interrupts the operation when it is cancelled.</param>
        public Task<int[]> SendAllAsync(
            IEnumerable<Ssmtp> messages,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            return RunAsync(() => SendAll(messages), cancellationToken);
        }
    }
}
