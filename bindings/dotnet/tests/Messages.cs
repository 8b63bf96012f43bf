// What several tests need: a component that is ready to send, and the parts of a message that arrived.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace Ssmtp.Tests
{
    internal static class Messages
    {
        /// <summary>A component with a small message for a server on this machine.</summary>
        internal static Ssmtp Small(int port)
        {
            return new Ssmtp
            {
                MailServer = "127.0.0.1",
                MailPort = port,
                Timeout = 20,
                From = "sender@client.example",
                SendTo = "alice@server.example",
                Subject = "small",
                MessageText = "Hello\r\n",
            };
        }

        /// <summary>The header fields of a message, unfolded, and its body.</summary>
        internal static KeyValuePair<List<string>, string> Parts(byte[] message)
        {
            string text = Encoding.UTF8.GetString(message);
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            Check.True(end > 0, "the message has a header section");
            string head = Regex.Replace(text.Substring(0, end), "\r\n(?=[ \t])", "");
            return new KeyValuePair<List<string>, string>(
                head.Split(new[] { "\r\n" }, StringSplitOptions.None).ToList(),
                text.Substring(end + 4));
        }

        /// <summary>The value of the only header line of that name.</summary>
        internal static string Header(List<string> head, string name)
        {
            string[] found = head.Where(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).ToArray();
            Check.Equal(1, found.Length, name + " lines");
            return found[0].Substring(name.Length + 1).Trim();
        }

        /// <summary>RFC 2047 encoded words as text.</summary>
        internal static string Decoded(string value)
        {
            const string Word = @"=\?utf-8\?([bq])\?([^?]*)\?=";
            string joined = Regex.Replace(value, @"(?<=\?=)\s+(?==\?)", "");
            string decoded = Regex.Replace(
                joined,
                "(" + Word + ")+",
                run => Encoding.UTF8.GetString(
                    Regex.Matches(run.Value, Word, RegexOptions.IgnoreCase).Cast<Match>().SelectMany(Octets).ToArray()),
                RegexOptions.IgnoreCase);
            return decoded;
        }

        private static byte[] Octets(Match word)
        {
            string text = word.Groups[2].Value;
            if (word.Groups[1].Value.ToLowerInvariant() == "b")
            {
                return Convert.FromBase64String(text);
            }
            var octets = new List<byte>();
            for (int i = 0; i < text.Length; i++)
            {
                if (text[i] == '=')
                {
                    octets.Add(byte.Parse(text.Substring(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    i += 2;
                }
                else
                {
                    octets.Add(text[i] == '_' ? (byte)' ' : (byte)text[i]);
                }
            }
            return octets.ToArray();
        }
    }
}
