// Events: their order, what handlers may do, and what happens when one throws.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Ssmtp.Tests
{
    public static class EventTests
    {
        public static void events_come_in_order()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var seen = new List<string>();
                smtp.OnConnectionStatus += (s, e) =>
                {
                    Check.Equal(0, e.StatusCode);
                    Check.Equal("OK", e.Description);
                    seen.Add(e.ConnectionEvent);
                };
                smtp.OnStartTransfer += (s, e) => seen.Add("start " + e.Direction);
                smtp.OnTransfer += (s, e) =>
                    seen.Add("transfer " + e.BytesTransferred + " " + e.PercentDone + " " + e.Text.Trim() + " " + e.TextB.Length);
                smtp.OnEndTransfer += (s, e) => seen.Add("end " + e.Direction);
                smtp.Send();
                Check.Equal(
                    new[]
                    {
                        "Remote host connection complete",
                        "start 0",
                        "transfer 7 100 Hello 7",
                        "end 0",
                        "Remote host disconnected",
                    },
                    seen.ToArray());
            }
        }

        public static void the_trail_shows_the_conversation()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                var trail = new List<string>();
                smtp.OnPITrail += (s, e) => trail.Add(e.Direction + " " + e.Message);
                smtp.Send();
                Check.True(trail[0].StartsWith("1 220", StringComparison.Ordinal), trail[0]);
                string[] verbs = trail.Where(t => t[0] == '0').Select(t => t.Substring(2).Split(' ', ':')[0]).ToArray();
                Check.Equal(new[] { "EHLO", "MAIL", "RCPT", "DATA", "QUIT" }, verbs);
                Check.True(!trail.Any(t => t.Contains("Hello")), "message data is not traced");
            }
        }

        public static void the_sender_is_the_object_that_runs()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                int same = 0;
                smtp.OnPITrail += (s, e) => same += ReferenceEquals(s, smtp) ? 1 : 1000;
                smtp.Send();
                Check.True(same > 0 && same < 1000, "sender is the component");
            }
        }

        public static void an_exception_in_a_handler_comes_out_with_its_stack()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                int calls = 0;
                smtp.OnPITrail += (s, e) =>
                {
                    calls++;
                    Explode();
                };
                var error = Check.Throws<InvalidTimeZoneException>(smtp.Send);
                Check.Equal("from a handler", error.Message);
                Check.Contains("Explode", error.StackTrace);
                Check.Contains("Send", error.StackTrace);
                Check.Equal(1, calls, "no handler runs after one has thrown;");
                Check.Equal(0, server.Count, "messages");
            }
        }

        public static void an_exception_in_any_event_stops_the_sending_and_the_object_works_afterwards()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                bool armed = true;
                Action explode = () =>
                {
                    if (armed)
                    {
                        Explode();
                    }
                };
                OnConnectionStatusHandler status = (s, e) => explode();
                OnStartTransferHandler start = (s, e) => explode();
                OnTransferHandler transfer = (s, e) => explode();
                OnEndTransferHandler end = (s, e) => explode();
                smtp.OnConnectionStatus += status;
                Check.Throws<InvalidTimeZoneException>(smtp.Send);
                smtp.OnConnectionStatus -= status;
                smtp.OnStartTransfer += start;
                Check.Throws<InvalidTimeZoneException>(smtp.Send);
                smtp.OnStartTransfer -= start;
                // Several portions, then a single one: either way the message must not arrive.
                smtp.MessageText = string.Concat(Enumerable.Repeat("a line of the text\r\n", 20000));
                smtp.OnTransfer += transfer;
                Check.Throws<InvalidTimeZoneException>(smtp.Send);
                smtp.MessageText = "Hello\r\n";
                Check.Throws<InvalidTimeZoneException>(smtp.Send);
                smtp.OnTransfer -= transfer;
                smtp.OnEndTransfer += end;
                Check.Throws<InvalidTimeZoneException>(smtp.Send);
                armed = false;
                smtp.Send();
                Check.Equal(1, server.Count, "messages");
            }
        }

        public static void handlers_survive_the_collector()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                int[] count = new int[5];
                AddCollecting(smtp, count);
                GC.Collect();
                for (int i = 0; i < 5; i++)
                {
                    smtp.Send();
                }
                Check.Equal(5, server.Count, "messages");
                Check.True(count.All(c => c >= 5), string.Join(" ", count));
            }
        }

        // A frame of its own, so that nothing but the component holds the handlers.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void AddCollecting(Ssmtp smtp, int[] count)
        {
            Action<int> collect = i =>
            {
                count[i]++;
                GC.Collect();
                GC.WaitForPendingFinalizers();
            };
            smtp.OnPITrail += (s, e) => collect(0);
            smtp.OnConnectionStatus += (s, e) => collect(1);
            smtp.OnStartTransfer += (s, e) => collect(2);
            smtp.OnTransfer += (s, e) => collect(3);
            smtp.OnEndTransfer += (s, e) => collect(4);
        }

        public static void a_removed_handler_is_not_called()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                int removed = 0;
                int kept = 0;
                OnPITrailHandler first = (s, e) => removed++;
                OnPITrailHandler second = (s, e) => kept++;
                smtp.OnPITrail += first;
                smtp.OnPITrail += second;
                smtp.OnPITrail -= first;
                smtp.Send();
                Check.Equal(0, removed);
                Check.True(kept > 0, "the other handler is called");
                smtp.OnPITrail -= second;
                kept = 0;
                smtp.Send();
                Check.Equal(0, kept);
            }
        }

        public static void a_handler_may_read_and_set_properties()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                smtp.OnPITrail += (s, e) =>
                {
                    Check.Equal("small", smtp.Subject);
                    Check.Equal(false, smtp.Idle);
                    smtp.ReplyTo = "later@client.example";
                };
                smtp.Send();
                Check.Equal("later@client.example", smtp.ReplyTo);
                Check.Equal(true, smtp.Idle);
            }
        }

        public static void a_blocking_method_in_a_handler_is_busy()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                int refused = 0;
                smtp.OnStartTransfer += (s, e) =>
                {
                    Check.Fails(166, smtp.Send);
                    refused++;
                };
                smtp.Send();
                Check.Equal(1, refused);
                Check.Equal(1, server.Count, "messages");
            }
        }

        public static void another_object_may_send_in_a_handler_and_its_exception_passes_through()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp outer = Messages.Small(server.Port))
            using (Ssmtp inner = Messages.Small(server.Port))
            {
                inner.OnStartTransfer += (s, e) => Explode();
                outer.OnStartTransfer += (s, e) => inner.Send();
                Check.Throws<InvalidTimeZoneException>(outer.Send);
                Check.Equal(0, server.Count, "messages");
                Check.Equal("small", inner.Subject);
            }
        }

        public static void dispose_in_a_handler_ends_the_method()
        {
            using (var server = new EmbeddedServer())
            {
                Ssmtp smtp = Messages.Small(server.Port);
                int after = 0;
                smtp.OnStartTransfer += (s, e) => smtp.Dispose();
                smtp.OnEndTransfer += (s, e) => after++;
                Check.Fails(301, smtp.Send);
                Check.Equal(0, after, "events after Dispose");
                Check.Throws<ObjectDisposedException>(() => smtp.Subject = "again");
                Check.Throws<ObjectDisposedException>(smtp.Send);
                smtp.Dispose();
            }
        }

        public static void interrupt_in_a_handler_ends_the_method_with_301()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                bool armed = true;
                smtp.OnStartTransfer += (s, e) =>
                {
                    if (armed)
                    {
                        smtp.Interrupt();
                    }
                };
                Check.Fails(301, smtp.Send);
                armed = false;
                smtp.Send();
                Check.Equal(1, server.Count, "messages");
            }
        }

        public static void a_big_message_fires_transfer_with_exactly_its_portions()
        {
            using (var server = new EmbeddedServer())
            using (Ssmtp smtp = Messages.Small(server.Port))
            {
                string line = new string('x', 76) + "\r\n";
                string text = string.Concat(Enumerable.Repeat(line, 10000));
                var portions = new System.Text.StringBuilder();
                long before = 0;
                int percent = 0;
                smtp.OnTransfer += (s, e) =>
                {
                    portions.Append(e.Text);
                    Check.Equal(e.Text.Length, e.TextB.Length, "octets");
                    Check.Equal(before + e.TextB.Length, e.BytesTransferred, "bytes so far");
                    before = e.BytesTransferred;
                    percent = e.PercentDone;
                };
                smtp.MessageText = text;
                smtp.Send();
                Check.True(portions.ToString() == text, "the portions make the text");
                Check.Equal(100, percent);
                Check.True(Messages.Parts(server.Message(1)).Value == text, "the text arrived");
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Explode()
        {
            throw new InvalidTimeZoneException("from a handler");
        }
    }
}
