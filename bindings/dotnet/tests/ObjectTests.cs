// Recipients, headers, firewall and certificates as objects, and text on its way through C.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Ssmtp.Tests
{
    public static class ObjectTests
    {
        public static void recipients_can_be_copied_into_other_collections()
        {
            using (var smtp = new Ssmtp { SendTo = "a@x.example, b@x.example" })
            {
                List<MessageRecipient> list = smtp.MessageRecipients.ToList();
                Check.Equal(new[] { "a@x.example", "b@x.example" }, list.Select(r => r.Address).ToArray());
                var array = new MessageRecipient[3];
                smtp.MessageRecipients.CopyTo(array, 1);
                Check.Equal("a@x.example", array[1].Address);
                Check.Throws<IndexOutOfRangeException>(() => smtp.MessageRecipients.CopyTo(array, 2));
            }
        }

        public static void recipients_are_a_list()
        {
            using (var smtp = new Ssmtp())
            {
                MessageRecipientList list = smtp.MessageRecipients;
                Check.Equal(0, list.Count);
                list.Add(new MessageRecipient("a@x.example"));
                list.Add(new MessageRecipient("b@x.example", EmailRecipientTypes.rtCc) { Name = "Bob", Options = "NOTIFY=NEVER" });
                list.Add(new MessageRecipient("c@x.example", 2));
                MessageRecipient last = list.Add("d@x.example", name: "Dora");
                Check.Equal("a@x.example b@x.example c@x.example d@x.example", string.Join(" ", list.Select(r => r.Address)));
                Check.Equal("Bob", list[1].Name);
                Check.Equal("NOTIFY=NEVER", list[1].Options);
                Check.Equal(MessageRecipientTypes.rtBCc, list[2].RecipientType);
                Check.Equal("Dora", last.Name);

                list.RemoveAt(1);
                Check.Equal("a@x.example c@x.example d@x.example", string.Join(" ", list.Select(r => r.Address)));
                Check.Equal(MessageRecipientTypes.rtBCc, list[1].RecipientType);
                Check.Equal("", list[1].Name);

                list.Insert(0, new MessageRecipient("z@x.example", MessageRecipientTypes.rtCc));
                Check.Equal("z@x.example a@x.example c@x.example d@x.example", string.Join(" ", list.Select(r => r.Address)));
                Check.Equal(MessageRecipientTypes.rtCc, list[0].RecipientType);
                Check.Equal(true, list.Remove(new MessageRecipient("a@x.example")));
                Check.Equal(false, list.Contains(new MessageRecipient("a@x.example")));
                Check.Equal(3, list.Count);
                list.Clear();
                Check.Equal(0, list.Count);
                Check.Throws<ArgumentOutOfRangeException>(() => list[0].ToString());
                Check.Throws<ArgumentOutOfRangeException>(() => list.RemoveAt(0));
            }
        }

        public static void the_list_and_the_three_properties_are_one()
        {
            using (var smtp = new Ssmtp())
            {
                smtp.SendTo = "a@x.example, b@x.example";
                smtp.BCc = "c@x.example";
                Check.Equal(3, smtp.MessageRecipients.Count);
                smtp.MessageRecipients.Add("d@x.example", MessageRecipientTypes.rtCc);
                Check.Equal("d@x.example", smtp.Cc);
                smtp.SendTo = "e@x.example";
                Check.Equal("c@x.example", smtp.BCc);
                Check.Equal(3, smtp.MessageRecipients.Count);
                smtp.MessageRecipients[0].Address = "f@x.example";
                Check.Contains("f@x.example", smtp.SendTo + smtp.BCc + smtp.Cc);
            }
        }

        public static void an_added_recipient_stays_alive()
        {
            using (var smtp = new Ssmtp())
            {
                var recipient = new MessageRecipient("a@x.example");
                smtp.MessageRecipients.Add(recipient);
                recipient.RecipientType = MessageRecipientTypes.rtCc;
                recipient.Address = "b@x.example";
                Check.Equal("b@x.example", smtp.Cc);
                smtp.Cc = "";
                Check.Fails(605, () => recipient.Address.ToString());
            }
        }

        public static void a_refused_recipient_leaves_no_half_entry()
        {
            using (var smtp = new Ssmtp())
            {
                Check.Fails(603, () => smtp.MessageRecipients.Add("a@x.example", name: "A\r\nBcc: x@y.example"));
                Check.Equal(0, smtp.MessageRecipients.Count);
            }
        }

        public static void headers_read_as_they_will_be_sent()
        {
            using (var smtp = new Ssmtp())
            {
                Check.Equal(0, smtp.MessageHeaders.Count);
                smtp.From = "sender@client.example";
                smtp.SendTo = "alice@server.example";
                smtp.Subject = "headers";
                smtp.OtherHeaders = "X-Mine: 1";
                Header[] lines = smtp.MessageHeaders.ToArray();
                Check.Equal("headers", lines.Single(h => h.Field == "Subject").Value);
                Check.Equal("1", lines.Single(h => h.Field == "X-Mine").Value);
                Check.Equal(lines.Length, smtp.MessageHeaders.Count);
                Check.Contains("Subject: headers\r\n", smtp.MessageHeadersString);
                Check.Equal("Field: value", new Header("Field", "value").ToString());
                Check.Throws<ArgumentOutOfRangeException>(() => smtp.MessageHeaders[lines.Length].ToString());
            }
        }

        public static void free_firewall_settings_hold_what_they_are_given()
        {
            var firewall = new Firewall { FirewallType = FirewallTypes.fwSOCKS5, Host = "proxy.example", User = "u" };
            Check.Equal(1080, firewall.Port);
            Check.Equal("proxy.example", firewall.Host);
            Check.Equal("", firewall.Password);
            using (var smtp = new Ssmtp())
            {
                Check.Equal(FirewallTypes.fwNone, smtp.Firewall.FirewallType);
                Check.Equal("", smtp.Firewall.Host);
                smtp.Firewall = new Firewall();
                smtp.Firewall = null;
            }
        }

        public static void names_reach_every_property()
        {
            using (var smtp = new Ssmtp())
            {
                smtp.Set("mailport", "2525");
                Check.Equal(2525, smtp.MailPort);
                smtp.Set("MessageRecipientAddress[0]", "a@x.example");
                Check.Equal("a@x.example", smtp.Get("MessageRecipientAddress(0)"));
                Check.Equal("1", smtp.Get("MessageRecipientCount"));
                smtp.Set("Importance", "miHigh");
                Check.Equal(SsmtpImportances.miHigh, smtp.Importance);
                Check.Equal("1", smtp.Get("Importance"));
                Check.Fails(602, () => smtp.Get("NoSuchName"));
                Check.Fails(602, () => smtp.Config("NoSuchSetting"));
                Check.Fails(604, () => smtp.Get("MessageRecipients"));
                Check.Fails(604, () => smtp.Set("Idle", "True"));
                Check.Fails(605, () => smtp.Get("MessageRecipientAddress[7]"));
                Check.Fails(603, () => smtp.Set("MailPort", "many"));
            }
        }

        public static void text_of_every_plane_survives()
        {
            using (var smtp = new Ssmtp())
            {
                string text = "a\u0080é\u07ff\u0800€\uffee😀\U0010fffd\r\n";
                smtp.MessageText = text;
                Check.Equal(text, smtp.MessageText);
                string big = new string('ü', 4 << 20);
                smtp.MessageText = big;
                Check.True(smtp.MessageText == big, "eight megabytes read as they were set");
                smtp.MessageText = null;
                Check.Equal("", smtp.MessageText);
            }
        }

        public static void text_that_c_cannot_hold_is_refused_and_nothing_changes()
        {
            using (var smtp = new Ssmtp())
            {
                smtp.Subject = "before";
                Check.Fails(603, () => smtp.Subject = "a\0b");
                Check.Fails(603, () => smtp.Subject = "half \ud83d");
                Check.Fails(603, () => smtp.Subject = "a\r\nBcc: x@y.example");
                Check.Equal("before", smtp.Subject);
            }
        }

        public static void octets_survive_with_their_nuls()
        {
            using (var smtp = new Ssmtp())
            {
                byte[] octets = Encoding.ASCII.GetBytes("a\0b\r\n");
                smtp.MessageB = octets;
                Check.Equal(octets, smtp.MessageB);
                smtp.MessageB = null;
                Check.Equal(new byte[0], smtp.MessageB);
            }
        }

        public static void the_version_is_that_of_the_assembly()
        {
            Version assembly = typeof(Ssmtp).Assembly.GetName().Version;
            Check.Equal(assembly.ToString(3), Ssmtp.Version);
        }
    }
}
