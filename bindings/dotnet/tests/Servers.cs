// The servers that tests talk to: the project's embedded one as a process, and a scripted one in here for what it should not do.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

namespace Ssmtp.Tests
{
    /// <summary>`xtask serve`: takes messages and saves them.</summary>
    internal sealed class EmbeddedServer : IDisposable
    {
        private readonly Process process;
        private readonly string folder;

        internal EmbeddedServer(string options = "")
        {
            folder = Path.Combine(Path.GetTempPath(), "ssmtp-dotnet-" + Guid.NewGuid().ToString("N"));
            Directory.CreateDirectory(folder);
            var start = new ProcessStartInfo(Program(), "serve --eml " + folder + " " + options)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            };
            process = Process.Start(start);
            string first = process.StandardOutput.ReadLine() ?? "";
            const string Prefix = "listening 127.0.0.1:";
            if (!first.StartsWith(Prefix, StringComparison.Ordinal))
            {
                Dispose();
                throw new CheckFailed("the embedded server said: " + first);
            }
            Port = int.Parse(first.Substring(Prefix.Length), CultureInfo.InvariantCulture);
        }

        internal int Port { get; }

        /// <summary>The bytes of a message, counted from 1.</summary>
        internal byte[] Message(int number)
        {
            return File.ReadAllBytes(FileOf(number));
        }

        /// <summary>The file that a message was saved in.</summary>
        internal string FileOf(int number)
        {
            return Path.Combine(folder, number.ToString(CultureInfo.InvariantCulture) + ".eml");
        }

        internal string[] Envelope(int number)
        {
            return File.ReadAllLines(Path.Combine(folder, number.ToString(CultureInfo.InvariantCulture) + ".envelope"));
        }

        internal int Count
        {
            get { return Directory.GetFiles(folder, "*.eml").Length; }
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
                process.WaitForExit();
            }
            process.Dispose();
            Directory.Delete(folder, true);
        }

        private static string Program()
        {
            string named = Environment.GetEnvironmentVariable("SSMTP_XTASK");
            string beside = Path.Combine(AppDomain.CurrentDomain.BaseDirectory, "..", "debug", "xtask");
            return string.IsNullOrEmpty(named) ? Path.GetFullPath(beside) : named;
        }
    }

    /// <summary>Answers each command with what the test says; null leaves the client waiting.</summary>
    internal sealed class ScriptedServer : IDisposable
    {
        private readonly TcpListener listener = new TcpListener(IPAddress.Loopback, 0);
        private readonly List<TcpClient> clients = new List<TcpClient>();
        private readonly Func<string, string> answer;
        private readonly string greeting;
        private readonly Thread accepting;
        private volatile bool stopped;

        internal readonly ManualResetEvent Waiting = new ManualResetEvent(false);
        internal readonly List<string> Commands = new List<string>();

        /// <summary>Without an answer for a command, the usual one is given.</summary>
        internal ScriptedServer(Func<string, string> answer, string greeting = "220 scripted.example ready")
        {
            this.answer = answer;
            this.greeting = greeting;
            listener.Start();
            accepting = new Thread(Accept) { IsBackground = true };
            accepting.Start();
        }

        /// <summary>Accepts connections and says nothing.</summary>
        internal static ScriptedServer Silent()
        {
            return new ScriptedServer(_ => null, null);
        }

        internal int Port
        {
            get { return ((IPEndPoint)listener.LocalEndpoint).Port; }
        }

        public void Dispose()
        {
            stopped = true;
            accepting.Join();
            lock (clients)
            {
                clients.ForEach(c => c.Close());
            }
        }

        internal static string Usual(string command)
        {
            switch (command.Split(' ')[0].ToUpperInvariant())
            {
                case "EHLO":
                    return "250-scripted.example\r\n250 8BITMIME";
                case "DATA":
                    return "354 go on";
                case "QUIT":
                    return "221 bye";
                default:
                    return "250 2.0.0 ok";
            }
        }

        // By polling: to close a listener while another thread waits in it means something else on every runtime.
        private void Accept()
        {
            while (!stopped)
            {
                if (!listener.Pending())
                {
                    Thread.Sleep(2);
                    continue;
                }
                TcpClient client = listener.AcceptTcpClient();
                lock (clients)
                {
                    clients.Add(client);
                }
                var thread = new Thread(() => Serve(client)) { IsBackground = true };
                thread.Start();
            }
            listener.Stop();
        }

        private void Serve(TcpClient client)
        {
            try
            {
                Stream stream = client.GetStream();
                var reader = new StreamReader(stream, Encoding.UTF8);
                if (!Say(stream, greeting))
                {
                    return;
                }
                bool data = false;
                string line;
                while ((line = reader.ReadLine()) != null)
                {
                    if (data && line != ".")
                    {
                        continue;
                    }
                    lock (Commands)
                    {
                        Commands.Add(line);
                    }
                    string reply = answer(line);
                    data = !data && reply != null && reply.StartsWith("354", StringComparison.Ordinal);
                    if (!Say(stream, reply))
                    {
                        return;
                    }
                }
            }
            catch (IOException)
            {
                // The client went away, or the test is over.
            }
            catch (ObjectDisposedException)
            {
            }
        }

        private bool Say(Stream stream, string reply)
        {
            if (reply == null)
            {
                Waiting.Set();
                return false;
            }
            byte[] bytes = Encoding.UTF8.GetBytes(reply + "\r\n");
            stream.Write(bytes, 0, bytes.Length);
            return true;
        }
    }
}
