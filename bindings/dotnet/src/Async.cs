// What the asynchronous methods share.

using System;
using System.Threading;
using System.Threading.Tasks;

namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        private Task RunAsync(Action work, CancellationToken cancellationToken)
        {
            Func<bool> function = () =>
            {
                work();
                return true;
            };
            return RunAsync(function, cancellationToken);
        }

        // A thread of its own: a session waits for the network most of the time and would starve the pool.
        private Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
        {
            return Task.Factory.StartNew(
                () =>
                {
                    using (new Interrupter(this, cancellationToken))
                    {
                        try
                        {
                            return work();
                        }
                        catch (SsmtpException error)
                            when (error.Code == SsmtpErrorCodes.Interrupted && cancellationToken.IsCancellationRequested)
                        {
                            throw new OperationCanceledException(error.Message, error, cancellationToken);
                        }
                    }
                },
                cancellationToken,
                TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
                TaskScheduler.Default);
        }

        /// <summary>
        /// Interrupts the operation from the moment the token is cancelled until the operation has ended: once is not enough,
        /// since an interrupt that comes before the operation has begun does nothing.
        /// </summary>
        private sealed class Interrupter : IDisposable
        {
            private const int EveryMilliseconds = 10;

            private readonly object gate = new object();
            private readonly Ssmtp owner;
            private readonly CancellationTokenRegistration registration;
            private Timer timer;
            private bool done;

            internal Interrupter(Ssmtp owner, CancellationToken cancellationToken)
            {
                this.owner = owner;
                registration = cancellationToken.Register(Begin);
            }

            public void Dispose()
            {
                lock (gate)
                {
                    done = true;
                    timer?.Dispose();
                }
                registration.Dispose();
            }

            private void Begin()
            {
                lock (gate)
                {
                    if (!done)
                    {
                        timer = new Timer(_ => Interrupt(), null, 0, EveryMilliseconds);
                    }
                }
            }

            private void Interrupt()
            {
                lock (gate)
                {
                    if (done || owner.handle.IsClosed)
                    {
                        return;
                    }
                    try
                    {
                        Native.ssmtp_interrupt(owner.handle);
                    }
                    catch (ObjectDisposedException)
                    {
                        done = true;
                    }
                }
            }
        }
    }
}
