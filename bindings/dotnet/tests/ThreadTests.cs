// Several threads on one object, interruption, the asynchronous methods, and objects that nobody disposed.

using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Ssmtp.Tests
{
    public static class ThreadTests
    {
        public static void interrupt_from_another_thread_ends_a_waiting_send()
        {
            using (ScriptedServer server = ScriptedServer.Silent())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                Exception error = null;
                var sending = new Thread(() => error = Check.Fails(301, smtp.Send));
                sending.Start();
                Check.True(server.Waiting.WaitOne(10000), "the client connects");
                Thread.Sleep(50);
                Stopwatch time = Stopwatch.StartNew();
                smtp.Interrupt();
                Check.True(sending.Join(5000), "the method ends");
                Check.True(time.ElapsedMilliseconds < 1000, "at once, not after " + time.ElapsedMilliseconds + " ms");
                Check.True(error != null, "with 301");
            }
        }

        public static void a_second_blocking_method_is_refused_with_166_and_properties_work_meanwhile()
        {
            using (ScriptedServer server = ScriptedServer.Silent())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                Task sending = smtp.SendAsync();
                Check.True(server.Waiting.WaitOne(10000), "the client connects");
                Check.Equal(false, smtp.Idle);
                Check.Fails(166, smtp.Send);
                Check.Fails(166, smtp.Connect);
                smtp.Subject = "meanwhile";
                Check.Equal("meanwhile", smtp.Subject);
                smtp.Interrupt();
                var error = Check.Throws<AggregateException>(() => sending.Wait(5000));
                Check.Equal(301, ((SsmtpException)error.InnerException).Code);
                Check.Equal(true, smtp.Idle);
            }
        }

        public static void send_async_sends()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                int thread = 0;
                smtp.OnStartTransfer += (s, e) => thread = Thread.CurrentThread.ManagedThreadId;
                Task sending = smtp.SendAsync();
                Check.True(sending.Wait(20000), "it ends");
                Check.Equal(1, server.Count, "messages");
                Check.True(thread != 0 && thread != Thread.CurrentThread.ManagedThreadId, "on a thread of its own");
            }
        }

        public static void connect_and_disconnect_have_async_twins()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.ConnectAsync().Wait(20000);
                Check.Equal(true, smtp.Connected);
                smtp.SendAsync().Wait(20000);
                smtp.SendAsync().Wait(20000);
                Check.Equal(true, smtp.Connected);
                smtp.DisconnectAsync().Wait(20000);
                Check.Equal(false, smtp.Connected);
                Check.Equal(2, server.Count, "messages");
            }
        }

        public static void cancelling_send_async_interrupts_it()
        {
            using (ScriptedServer server = ScriptedServer.Silent())
            using (Ssmtp smtp = Messages.Small(server.Port))
            using (var cancellation = new CancellationTokenSource())
            {
                Task sending = smtp.SendAsync(cancellation.Token);
                Check.True(server.Waiting.WaitOne(10000), "the client connects");
                Stopwatch time = Stopwatch.StartNew();
                cancellation.Cancel();
                Cancelled(sending);
                Check.True(time.ElapsedMilliseconds < 1000, "at once, not after " + time.ElapsedMilliseconds + " ms");
            }
        }

        public static void a_cancelled_token_sends_nothing()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                Cancelled(smtp.SendAsync(new CancellationToken(true)));
                Check.Equal(0, server.Count, "messages");
            }
        }

        public static void cancelling_at_any_moment_ends_the_task_and_leaves_the_object_usable()
        {
            using (ScriptedServer silent = ScriptedServer.Silent())
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(silent.Port))
            {
                for (int i = 0; i < 30; i++)
                {
                    using (var cancellation = new CancellationTokenSource())
                    {
                        Task sending = smtp.SendAsync(cancellation.Token);
                        Thread.SpinWait(i * i * 200);
                        cancellation.Cancel();
                        Cancelled(sending);
                    }
                }
                smtp.MailPort = server.Port;
                smtp.Send();
                Check.Equal(1, server.Count, "messages");
            }
        }

        public static void an_exception_in_a_handler_comes_out_of_the_task()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.OnPITrail += (s, e) => throw new InvalidTimeZoneException("from a handler");
                Task sending = smtp.SendAsync();
                var error = Check.Throws<AggregateException>(() => sending.Wait(20000));
                Check.True(error.InnerException is InvalidTimeZoneException, error.ToString());
            }
        }

        public static void dispose_from_another_thread_ends_a_waiting_send()
        {
            using (ScriptedServer server = ScriptedServer.Silent())
            {
                Ssmtp smtp = Messages.Small(server.Port);
                Task sending = smtp.SendAsync();
                Check.True(server.Waiting.WaitOne(10000), "the client connects");
                smtp.Dispose();
                var error = Check.Throws<AggregateException>(() => sending.Wait(5000));
                Check.Equal(301, ((SsmtpException)error.InnerException).Code);
            }
        }

        public static void objects_that_nobody_disposed_are_released_by_the_collector()
        {
            using (var server = new EmbeddedServer())
            {
                var born = new Thread(() => Abandon(server.Port));
                born.Start();
                born.Join();
                WeakReference[] left = abandoned;
                for (int i = 0; i < 50 && Array.Exists(left, r => r.IsAlive); i++)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    Thread.Sleep(10);
                }
                int alive = Array.FindAll(left, r => r.IsAlive).Length;
                // The collector of Mono scans stacks conservatively: a few may stay.
                Check.True(alive <= left.Length / 4, alive + " of " + left.Length + " are still alive");
            }
        }

        public static void a_handler_may_wait_for_the_finalizers_of_other_objects()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                // Finalizers close connections; one that waited for the operation whose handler waits for it would never end.
                smtp.OnTransfer += (s, e) =>
                {
                    var born = new Thread(() => Abandon(server.Port));
                    born.Start();
                    born.Join();
                    for (int i = 0; i < 5; i++)
                    {
                        GC.Collect();
                        GC.WaitForPendingFinalizers();
                    }
                };
                Task sending = smtp.SendAsync();
                Check.True(sending.Wait(20000), "it ends");
                Check.Equal(1, server.Count, "messages");
            }
        }

        private static WeakReference[] abandoned;

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Abandon(int port)
        {
            abandoned = new WeakReference[24];
            for (int i = 0; i < abandoned.Length; i++)
            {
                Ssmtp smtp = Messages.Small(port);
                smtp.OnPITrail += (s, e) => GC.KeepAlive(e);
                smtp.OnConnectionStatus += (s, e) => GC.KeepAlive(e);
                smtp.SetMessageStream(new MemoryStream(new byte[] { 65, 13, 10 }));
                smtp.Connect();
                abandoned[i] = new WeakReference(smtp);
            }
        }

        public static void many_objects_send_at_once()
        {
            using (var server = new EmbeddedServer())
            {
                var tasks = new Task[16];
                for (int i = 0; i < tasks.Length; i++)
                {
                    tasks[i] = Task.Run(() =>
                    {
                        using (Ssmtp smtp = Messages.Small(server.Port))
                        {
                            smtp.OnPITrail += (s, e) => Check.True(ReferenceEquals(s, smtp), "the sender is mine");
                            smtp.Send();
                        }
                    });
                }
                Check.True(Task.WaitAll(tasks, 30000), "all end");
                Check.Equal(16, server.Count, "messages");
            }
        }

        private static void Cancelled(Task task)
        {
            var error = Check.Throws<AggregateException>(() => task.Wait(5000));
            Check.True(error.InnerException is OperationCanceledException, error.ToString());
            Check.True(task.IsCanceled, "the task is cancelled");
        }
    }
}
