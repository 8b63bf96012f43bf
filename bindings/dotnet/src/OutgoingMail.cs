// From a System.Net.Mail.MailMessage to the properties of the component.

using System;
using System.Collections.Generic;
using System.Collections.Specialized;
using System.IO;
using System.Linq;
using System.Net.Mail;
using System.Net.Mime;
using System.Text;

namespace Ssmtp
{
    /// <summary>A mail on its way: fills the component's message with it, and gives the streams back when it is disposed of.</summary>
    internal sealed class OutgoingMail : IDisposable
    {
        // Fields that MailMessage has properties for, or that follow from its parts; as SmtpClient does, these count.
        private static readonly HashSet<string> OfTheMail = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
        {
            "Bcc", "Cc", "Content-ID", "Content-Location", "Content-Transfer-Encoding", "Content-Type", "From", "Importance",
            "MIME-Version", "Priority", "Reply-To", "Sender", "Subject", "To", "X-Priority", "X-Receiver", "X-Sender",
        };

        private readonly Ssmtp smtp;
        private readonly MailMessage mail;
        private readonly List<IntPtr> held = new List<IntPtr>();
        private readonly List<KeyValuePair<Stream, long>> places = new List<KeyValuePair<Stream, long>>();
        private string plain;
        private string html;

        internal OutgoingMail(Ssmtp smtp, MailMessage mail)
        {
            this.smtp = smtp;
            this.mail = mail;
        }

        /// <summary>Sets the message properties; the component has no message before.</summary>
        internal void Fill()
        {
            if (mail.From == null)
            {
                throw new SsmtpException(SsmtpErrorCodes.NoSender, "the mail has no From");
            }
            smtp.From = Text(mail.From);
            smtp.ReturnPath = mail.Sender == null ? "" : mail.Sender.Address;
            smtp.ReplyTo = string.Join(", ", RepliesTo().Select(Text));
            smtp.Subject = mail.Subject ?? "";
            // A mail may have all its recipients in Bcc.
            smtp.Config("AllowEmptyTo=True");
            AddRecipients(mail.To, MessageRecipientTypes.rtTo);
            AddRecipients(mail.CC, MessageRecipientTypes.rtCc);
            AddRecipients(mail.Bcc, MessageRecipientTypes.rtBCc);
            smtp.OtherHeaders = OtherHeaders();
            AddTexts();
            foreach (Attachment attachment in mail.Attachments)
            {
                Add(attachment);
            }
        }

        /// <summary>Sets the streams back to where they were and lets go of them.</summary>
        public void Dispose()
        {
            held.ForEach(smtp.Handle.Release);
            foreach (KeyValuePair<Stream, long> place in places.Where(p => p.Key.CanSeek))
            {
                place.Key.Position = place.Value;
            }
        }

        private IEnumerable<MailAddress> RepliesTo()
        {
            // The older property is the list's first entry on Mono, and apart from the list on .NET.
#pragma warning disable 618
            return mail.ReplyToList.Count > 0 || mail.ReplyTo == null ? mail.ReplyToList : Enumerable.Repeat(mail.ReplyTo, 1);
#pragma warning restore 618
        }

        private void AddRecipients(MailAddressCollection addresses, MessageRecipientTypes type)
        {
            string notify = Notify(mail.DeliveryNotificationOptions);
            foreach (MailAddress address in addresses)
            {
                smtp.MessageRecipients.Add(address.Address, type, address.DisplayName, notify);
            }
        }

        /// <summary>The NOTIFY parameter of RFC 3461.</summary>
        private static string Notify(DeliveryNotificationOptions options)
        {
            if ((options & DeliveryNotificationOptions.Never) != 0)
            {
                return "NOTIFY=NEVER";
            }
            var when = new List<string>();
            if ((options & DeliveryNotificationOptions.OnSuccess) != 0)
            {
                when.Add("SUCCESS");
            }
            if ((options & DeliveryNotificationOptions.OnFailure) != 0)
            {
                when.Add("FAILURE");
            }
            if ((options & DeliveryNotificationOptions.Delay) != 0)
            {
                when.Add("DELAY");
            }
            return when.Count == 0 ? "" : "NOTIFY=" + string.Join(",", when);
        }

        private string OtherHeaders()
        {
            var lines = new StringBuilder();
            if (mail.Sender != null)
            {
                Append(lines, "Sender", Text(mail.Sender));
            }
            if (mail.Priority == MailPriority.High)
            {
                smtp.Importance = SsmtpImportances.miHigh;
                smtp.Priority = SsmtpPriorities.epUrgent;
                Append(lines, "X-Priority", "1");
            }
            else if (mail.Priority == MailPriority.Low)
            {
                smtp.Importance = SsmtpImportances.miLow;
                smtp.Priority = SsmtpPriorities.epNonUrgent;
                Append(lines, "X-Priority", "5");
            }
            NameValueCollection headers = mail.Headers;
            foreach (string name in headers.AllKeys.Where(n => !OfTheMail.Contains(n)))
            {
                foreach (string value in headers.GetValues(name) ?? new string[0])
                {
                    Append(lines, name, value);
                }
            }
            return lines.ToString();
        }

        // What would be two lines in the message must not look like one here: OtherHeaders could not tell them apart.
        private static void Append(StringBuilder lines, string name, string value)
        {
            if (name.Length == 0 || name.Any(c => c <= ' ' || c > '~' || c == ':'))
            {
                throw new SsmtpException(SsmtpErrorCodes.ValueRefused, "a header of the mail has a name that cannot be sent");
            }
            for (int i = 0; i < value.Length; i++)
            {
                bool lineEnd = value[i] == '\r' || value[i] == '\n';
                bool folded = string.CompareOrdinal(value, i, "\r\n ", 0, 3) == 0
                    || string.CompareOrdinal(value, i, "\r\n\t", 0, 3) == 0;
                if (lineEnd && !folded)
                {
                    throw new SsmtpException(
                        SsmtpErrorCodes.ValueRefused,
                        "the header " + name + " of the mail has a line end in its value");
                }
                i += folded ? 2 : 0;
            }
            lines.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        private void AddTexts()
        {
            if (!string.IsNullOrEmpty(mail.Body))
            {
                AddText(mail.IsBodyHtml ? MediaTypeNames.Text.Html : MediaTypeNames.Text.Plain, mail.Body);
            }
            foreach (AlternateView view in mail.AlternateViews)
            {
                string type = TypeOf(view);
                if (type == "text/calendar" && view.ContentType.Parameters.ContainsKey("method"))
                {
                    Give(Native.ssmtp_add_attachment_data, Content(view), null, Media(view.ContentType, null));
                }
                else
                {
                    AddText(type, Read(view));
                }
                foreach (LinkedResource resource in view.LinkedResources)
                {
                    Add(resource);
                }
            }
            smtp.MessageText = plain ?? "";
            smtp.MessageHtml = html ?? "";
        }

        private void AddText(string type, string text)
        {
            if (type == MediaTypeNames.Text.Plain && plain == null)
            {
                plain = text;
            }
            else if (type == MediaTypeNames.Text.Html && html == null)
            {
                html = text;
            }
            else
            {
                throw new NotSupportedException(
                    "a mail has one plain text, one HTML text and invitations; this one has a further view of the type " + type);
            }
        }

        /// <summary>Mono gives a view that was made of a mere string the type of an attachment.</summary>
        private static string TypeOf(AlternateView view)
        {
            string type = view.ContentType.MediaType.ToLowerInvariant();
            return type == MediaTypeNames.Application.Octet ? MediaTypeNames.Text.Plain : type;
        }

        private string Read(AlternateView view)
        {
            string charset = view.ContentType.CharSet;
            Encoding encoding = string.IsNullOrEmpty(charset) ? Encoding.UTF8 : Encoding.GetEncoding(charset);
            using (var reader = new StreamReader(new MemoryStream(Content(view)), encoding))
            {
                return reader.ReadToEnd();
            }
        }

        private void Add(LinkedResource resource)
        {
            if (resource.ContentLink != null)
            {
                throw new NotSupportedException("a linked resource is found by its ContentId, not by a ContentLink");
            }
            // Without one nothing can show it, but it is part of the mail.
            string cid = string.IsNullOrEmpty(resource.ContentId) ? Guid.NewGuid().ToString("N") : resource.ContentId;
            Give(Native.ssmtp_add_inline_stream, resource, cid, Media(resource.ContentType, resource.ContentType.Name));
        }

        private void Add(Attachment attachment)
        {
            ContentType type = attachment.ContentType;
            string name = First(attachment.Name, type.Name, attachment.ContentDisposition.FileName);
            string cid = attachment.ContentId;
            if (!string.IsNullOrEmpty(cid) && (attachment.ContentDisposition.Inline || IsShown(cid)))
            {
                Give(Native.ssmtp_add_inline_stream, attachment, cid, Media(type, name));
            }
            else if (type.MediaType.Equals("message/rfc822", StringComparison.OrdinalIgnoreCase))
            {
                // Only in memory can the library look whether a message can go as it is, which it has to (RFC 2046).
                Give(Native.ssmtp_add_attachment_data, Content(attachment), name, Media(type, null));
            }
            else
            {
                Give(Native.ssmtp_add_attachment_stream, attachment, name, Media(type, null));
            }
        }

        private bool IsShown(string cid)
        {
            return html != null
                && (html.Contains("cid:" + cid) || html.Contains("cid:" + Uri.EscapeDataString(cid)));
        }

        private static string First(params string[] names)
        {
            return names.FirstOrDefault(name => !string.IsNullOrEmpty(name));
        }

        private void Give(DataCall call, byte[] data, string name, string type)
        {
            smtp.Check(call(smtp.Handle, data, Octets.Length(data), Utf8.Bytes(name), Utf8.Bytes(type)));
        }

        private void Give(StreamCall call, AttachmentBase part, string name, string type)
        {
            byte[] nameOrId = Utf8.Bytes(name);
            byte[] media = Utf8.Bytes(type);
            Stream stream = Borrowed(part);
            IntPtr token = smtp.Handle.Hold(stream);
            held.Add(token);
            long size = MessageStream.SizeOf(stream);
            smtp.Check(call(smtp.Handle, MessageStream.ReadStream, null, token, size, nameOrId, media));
        }

        private byte[] Content(AttachmentBase part)
        {
            var content = new MemoryStream();
            Borrowed(part).CopyTo(content);
            return content.ToArray();
        }

        private Stream Borrowed(AttachmentBase part)
        {
            Stream stream = part.ContentStream;
            if (stream.CanSeek)
            {
                places.Add(new KeyValuePair<Stream, long>(stream, stream.Position));
            }
            return stream;
        }

        /// <summary>The type with its parameters, and with a name only where one is given.</summary>
        private static string Media(ContentType type, string name)
        {
            var text = new StringBuilder(type.MediaType);
            foreach (string parameter in type.Parameters.Keys)
            {
                if (parameter != "name")
                {
                    text.Append("; ").Append(parameter).Append('=').Append(Quoted(type.Parameters[parameter]));
                }
            }
            if (!string.IsNullOrEmpty(name))
            {
                text.Append("; name=").Append(Quoted(name));
            }
            return text.ToString();
        }

        /// <summary>An address with its display name, for a list.</summary>
        private static string Text(MailAddress address)
        {
            return string.IsNullOrEmpty(address.DisplayName)
                ? address.Address
                : Quoted(address.DisplayName) + " <" + address.Address + ">";
        }

        private static string Quoted(string text)
        {
            return "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\"";
        }

        private delegate int DataCall(SsmtpHandle handle, byte[] data, UIntPtr length, byte[] name, byte[] type);

        private delegate int StreamCall(
            SsmtpHandle handle,
            Native.ReadCallback read,
            Native.CloseCallback close,
            IntPtr token,
            long size,
            byte[] nameOrId,
            byte[] type);
    }
}
