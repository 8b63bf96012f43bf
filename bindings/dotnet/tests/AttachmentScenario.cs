// The attachments scenario: what every language sends in it, and the parser that looks at the message.

using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;

namespace Ssmtp.Tests
{
    internal static class AttachmentScenario
    {
        internal const string Text = "Plain text\r\n";
        internal const string Html = "<p>HTML <img src=\"cid:logo@client.example\"></p>\r\n";

        internal static byte[] Png()
        {
            const string Hex =
                "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000a49444154789c6360000000020001e221bc33" +
                "0000000049454e44ae426082";
            return Enumerable.Range(0, Hex.Length / 2).Select(i => Convert.ToByte(Hex.Substring(2 * i, 2), 16)).ToArray();
        }

        internal static byte[] Csv()
        {
            return Encoding.ASCII.GetBytes("a;b\r\n1;2\r\n");
        }

        internal static byte[] Overview()
        {
            return Encoding.UTF8.GetBytes("Inhalt äöü\n");
        }

        internal static byte[] Numbers()
        {
            return Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        }

        /// <summary>Has the checker that all languages share look at a message.</summary>
        internal static void Check(string file)
        {
            string checker = Path.GetFullPath(Path.Combine(
                AppDomain.CurrentDomain.BaseDirectory, "..", "..", "tests", "attachments", "check.py"));
            var start = new ProcessStartInfo("python3", "-B \"" + checker + "\" \"" + file + "\"")
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            };
            start.EnvironmentVariables["PYTHONIOENCODING"] = "utf-8";
            using (Process process = Process.Start(start))
            {
                string said = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                Tests.Check.True(process.ExitCode == 0, said + "\n" + File.ReadAllText(file));
            }
        }
    }

    /// <summary>A folder that goes with its files.</summary>
    internal sealed class Folder : IDisposable
    {
        private readonly string path = Path.Combine(Path.GetTempPath(), "ssmtp-dotnet-" + Guid.NewGuid().ToString("N"));

        internal Folder()
        {
            Directory.CreateDirectory(path);
        }

        internal string Write(string name, byte[] content)
        {
            string file = Path.Combine(path, name);
            File.WriteAllBytes(file, content);
            return file;
        }

        public void Dispose()
        {
            Directory.Delete(path, true);
        }
    }
}
