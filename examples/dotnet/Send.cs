// Sends a message to any server. Everything comes from the command line; `send.exe --help` lists it.

using System;
using System.Collections.Generic;
using System.Threading;

internal static class Send
{
    private const string Usage =
        "usage: send --server HOST [--port N] --from ADDRESS --to ADDRESSES [--cc ADDRESSES] [--bcc ADDRESSES]\n" +
        "            [--subject TEXT] [--text TEXT] [--verbose]\n" +
        "Without --text the message is read from standard input. Ctrl+C stops the sending.";

    private static int Main(string[] args)
    {
        Dictionary<string, string> options = Parse(args);
        if (options == null || !options.ContainsKey("server") || !options.ContainsKey("from"))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }
        using (var smtp = new Ssmtp.Ssmtp())
        using (var stop = new CancellationTokenSource())
        {
            Console.CancelKeyPress += (sender, e) =>
            {
                e.Cancel = true;
                stop.Cancel();
            };
            try
            {
                Fill(smtp, options);
                smtp.SendAsync(stop.Token).GetAwaiter().GetResult();
                Console.WriteLine("sent");
                return 0;
            }
            catch (OperationCanceledException)
            {
                Console.Error.WriteLine("stopped");
                return 130;
            }
            catch (Ssmtp.SsmtpException error)
            {
                Console.Error.WriteLine("error {0}: {1}", error.Code, error.Message);
                return 1;
            }
        }
    }

    private static void Fill(Ssmtp.Ssmtp smtp, Dictionary<string, string> options)
    {
        smtp.MailServer = options["server"];
        if (options.TryGetValue("port", out string port))
        {
            // By name a property takes text, and refuses what is no number.
            smtp.Set("MailPort", port);
        }
        smtp.From = options["from"];
        smtp.SendTo = Value(options, "to");
        smtp.Cc = Value(options, "cc");
        smtp.BCc = Value(options, "bcc");
        smtp.Subject = Value(options, "subject");
        smtp.MessageText = options.TryGetValue("text", out string text) ? text : Console.In.ReadToEnd();
        // Some recipients may be all in Cc or Bcc.
        smtp.Config("AllowEmptyTo=True");
        smtp.OnError += (sender, e) => Console.Error.WriteLine("refused: {0} {1}", e.ErrorCode, e.Description);
        if (options.ContainsKey("verbose"))
        {
            string[] signs = { "C:", "S:", "--" };
            smtp.OnPITrail += (sender, e) => Console.Error.WriteLine("{0} {1}", signs[Math.Min(e.Direction, 2)], e.Message);
        }
    }

    private static string Value(Dictionary<string, string> options, string name)
    {
        return options.TryGetValue(name, out string value) ? value : "";
    }

    /// <summary>`--name value`, and `--verbose` alone; null when the line is not understood.</summary>
    private static Dictionary<string, string> Parse(string[] args)
    {
        var known = new HashSet<string> { "server", "port", "from", "to", "cc", "bcc", "subject", "text" };
        var options = new Dictionary<string, string>();
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i].Substring(2) : "";
            if (name == "verbose")
            {
                options[name] = "";
            }
            else if (known.Contains(name) && i + 1 < args.Length)
            {
                options[name] = args[++i];
            }
            else
            {
                return null;
            }
        }
        return options;
    }
}
