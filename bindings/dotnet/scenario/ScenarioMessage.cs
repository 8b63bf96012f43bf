// The message that every language sends in its scenario test, byte for byte the same.

namespace Ssmtp.Scenario
{
    internal static class ScenarioMessage
    {
        internal const string Text =
            "First line\r\n.leading dot\r\n..two dots\r\n\r\nÜnïcödé text\r\nlast line\r\n";

        internal static void Fill(global::Ssmtp.Ssmtp smtp)
        {
            smtp.From = "\"Zoë Sender\" <sender@client.example>";
            smtp.SendTo = "alice@postfix.test";
            smtp.Cc = "\"Bob, Esq.\" <bob@postfix.test>";
            smtp.BCc = "carol@postfix.test";
            smtp.Subject = "Grüße – scenario";
            smtp.MessageDate = "Sun, 22 Nov 2026 12:00:00 +0000";
            smtp.MessageId = "<scenario@client.example>";
            smtp.OtherHeaders = "X-Scenario: 1";
            smtp.MessageText = Text;
        }
    }
}
