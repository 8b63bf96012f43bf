// scenarios.exe NAME PORT FOLDER: one scenario of list.toml at a server on 127.0.0.1, told line by line. What the other programs
// of the tests and the examples show already is not here again.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using Ssmtp;
using Ssmtp.Scenario;

internal static class Scenarios
{
    private static int Main(string[] args)
    {
        var all = new Dictionary<string, Action<int, string>>
        {
            { "login", Login },
            { "queue", Queue },
            { "interrupt", Interrupt },
            { "errors", Errors },
            { "events", Events },
        };
        if (args.Length != 3 || !all.ContainsKey(args[0]))
        {
            Console.Error.WriteLine("usage: scenarios login|queue|interrupt|errors|events PORT FOLDER");
            return 2;
        }
        all[args[0]](int.Parse(args[1], CultureInfo.InvariantCulture), args[2]);
        return 0;
    }

    private static Ssmtp.Ssmtp Client(int port)
    {
        var smtp = new Ssmtp.Ssmtp { MailServer = "127.0.0.1", MailPort = port };
        smtp.Config("Hello=client.example");
        ScenarioMessage.Fill(smtp);
        return smtp;
    }

    private static void Tell(string done, Action work)
    {
        try
        {
            work();
            Console.WriteLine(done);
        }
        catch (SsmtpException error)
        {
            Console.WriteLine("error {0}", error.Code);
        }
    }

    private static void Login(int port, string folder)
    {
        foreach (string password in new[] { "open sesame", "something else" })
        {
            using (Ssmtp.Ssmtp smtp = Client(port))
            {
                smtp.OnPITrail += (sender, e) =>
                {
                    if (e.Direction == 0 && e.Message.StartsWith("AUTH", StringComparison.Ordinal))
                    {
                        Console.WriteLine(e.Message);
                    }
                };
                smtp.User = "alice";
                smtp.Password = password;
                Tell("sent", smtp.Send);
            }
        }
    }

    private static void Queue(int port, string folder)
    {
        using (Ssmtp.Ssmtp smtp = Client(port))
        {
            string file = "", text = "";
            Tell("queued in the folder", () => file = Path.Combine(folder, smtp.Queue(folder)));
            if (!File.Exists(file))
            {
                throw new FileNotFoundException(file);
            }
            Tell("queued as text", () => text = smtp.Queue("*"));
            Tell("processed", () => smtp.ProcessQueue(folder));
            Console.WriteLine(File.Exists(file) ? "the file stays" : "the file is gone");
            Tell("sent", () => smtp.SendQueued(text));
            var changed = new StringBuilder(text);
            changed[text.Length / 2] ^= (char)1;
            Tell("sent", () => smtp.SendQueued(changed.ToString()));
        }
    }

    private static void Interrupt(int port, string folder)
    {
        using (Ssmtp.Ssmtp smtp = Client(port))
        {
            var thread = new Thread(() =>
            {
                Thread.Sleep(300);
                smtp.Interrupt();
            });
            thread.Start();
            Tell("sent", smtp.Send);
            thread.Join();
            smtp.OnEndTransfer += (sender, e) => smtp.Interrupt();
            Tell("sent", smtp.Send);
            Console.WriteLine("idle {0}", smtp.Idle ? 1 : 0);
        }
    }

    private static void Errors(int port, string folder)
    {
        using (Ssmtp.Ssmtp smtp = Client(port))
        {
            OnErrorHandler show = (sender, e) => Console.WriteLine("event {0}: {1}", e.ErrorCode, e.Description);
            smtp.OnError += show;
            smtp.Config("StopOnCcErrors=False");
            Tell("sent", smtp.Send); // one recipient is refused, and it goes to the others
            foreach (RecipientResult result in smtp.RecipientResults)
            {
                string verdict = result.Accepted ? "accepted" : "refused";
                Console.WriteLine("{0}: {1} {2} {3}", result.Address, result.Code, result.EnhancedCode, verdict);
            }
            smtp.OnError -= show;
            smtp.Cc = "";
            smtp.BCc = "";
            smtp.SendTo = "bob@postfix.test";
            try
            {
                smtp.Send();
            }
            catch (SsmtpException error)
            {
                Console.WriteLine("error {0}\n{1}", error.Code, error.Message);
            }
            smtp.From = "";
            Tell("sent", smtp.Send);
            Tell("set", () => smtp.MailPort = 70000);
            Tell("set", () => smtp.Set("NoSuchName", "1"));
            Tell("set", () => smtp.Set("MessageRecipientAddress[9]", "x@y.example"));
            Tell("set", () => smtp.From = "a\r\nb@c.example");
        }
        using (Ssmtp.Ssmtp smtp = Client(1))
        {
            Tell("sent", smtp.Send); // nobody listens there
        }
    }

    private static void Events(int port, string folder)
    {
        using (Ssmtp.Ssmtp smtp = Client(port))
        {
            smtp.OnConnectionStatus += (sender, e) => Console.WriteLine("status {0} {1}", e.StatusCode, e.ConnectionEvent);
            smtp.OnStartTransfer += (sender, e) => Console.WriteLine("start {0}", e.Direction);
            smtp.OnTransfer += (sender, e) =>
                Console.WriteLine(
                    "transfer {0} {1} {2}%: {3}", e.Direction, e.BytesTransferred, e.PercentDone, Encoding.UTF8.GetByteCount(e.Text));
            smtp.OnEndTransfer += (sender, e) => Console.WriteLine("end {0}", e.Direction);
            smtp.OnPITrail += (sender, e) => Console.WriteLine("{0} {1}", e.Direction, e.Message);
            Tell("sent", smtp.Send);
        }
        using (Ssmtp.Ssmtp smtp = Client(port))
        {
            smtp.OnStartTransfer += (sender, e) => throw new InvalidOperationException("stopped by the handler");
            try
            {
                smtp.Send();
                Console.WriteLine("not stopped");
            }
            catch (InvalidOperationException error)
            {
                Console.WriteLine(error.Message);
            }
        }
    }
}
