// The message properties of a component, put aside and back.

using System;
using System.Collections.Generic;
using System.Linq;

namespace Ssmtp
{
    /// <summary>All that makes a component's message, as it was when this object was made.</summary>
    internal sealed class MessageState
    {
        private readonly Ssmtp smtp;
        private readonly string from;
        private readonly string replyTo;
        private readonly string returnPath;
        private readonly string subject;
        private readonly string deliveryNotificationTo;
        private readonly string readReceiptTo;
        private readonly string messageDate;
        private readonly string messageId;
        private readonly string otherHeaders;
        private readonly string messageText;
        private readonly byte[] message;
        private readonly string messageHtml;
        private readonly string attachedFile;
        private readonly SsmtpImportances importance;
        private readonly SsmtpPriorities priority;
        private readonly SsmtpSensitivities sensitivity;
        private readonly string allowEmptyTo;
        private readonly string[] lists;
        private readonly List<MessageRecipient> recipients;

        internal MessageState(Ssmtp smtp)
        {
            this.smtp = smtp;
            from = smtp.From;
            replyTo = smtp.ReplyTo;
            returnPath = smtp.ReturnPath;
            subject = smtp.Subject;
            deliveryNotificationTo = smtp.DeliveryNotificationTo;
            readReceiptTo = smtp.ReadReceiptTo;
            messageDate = smtp.MessageDate;
            messageId = smtp.MessageId;
            otherHeaders = smtp.OtherHeaders;
            messageText = smtp.MessageText;
            message = smtp.MessageB;
            messageHtml = smtp.MessageHtml;
            attachedFile = smtp.AttachedFile;
            importance = smtp.Importance;
            priority = smtp.Priority;
            sensitivity = smtp.Sensitivity;
            allowEmptyTo = smtp.Config("AllowEmptyTo");
            lists = new[] { smtp.SendTo, smtp.Cc, smtp.BCc };
            recipients = smtp.MessageRecipients.Select(Copy).ToList();
        }

        /// <summary>Leaves the component without a message.</summary>
        internal void PutAside()
        {
            smtp.From = "";
            smtp.ReplyTo = "";
            smtp.ReturnPath = "";
            smtp.Subject = "";
            smtp.DeliveryNotificationTo = "";
            smtp.ReadReceiptTo = "";
            smtp.MessageDate = "*";
            smtp.MessageId = "*";
            smtp.OtherHeaders = "";
            smtp.MessageText = "";
            smtp.MessageB = new byte[0];
            smtp.MessageHtml = "";
            smtp.AttachedFile = "";
            smtp.Importance = SsmtpImportances.miUnspecified;
            smtp.Priority = SsmtpPriorities.epUnspecified;
            smtp.Sensitivity = SsmtpSensitivities.esUnspecified;
            SetLists("", "", "");
            smtp.PutPartsAside();
        }

        /// <summary>Makes the component's message what it was.</summary>
        internal void PutBack()
        {
            smtp.Config("AllowEmptyTo=" + allowEmptyTo);
            smtp.From = from;
            smtp.ReplyTo = replyTo;
            smtp.ReturnPath = returnPath;
            smtp.Subject = subject;
            smtp.DeliveryNotificationTo = deliveryNotificationTo;
            smtp.ReadReceiptTo = readReceiptTo;
            smtp.MessageDate = messageDate;
            smtp.MessageId = messageId;
            smtp.MessageText = messageText;
            smtp.MessageB = message;
            smtp.MessageHtml = messageHtml;
            smtp.AttachedFile = attachedFile;
            smtp.Importance = importance;
            smtp.Priority = priority;
            smtp.Sensitivity = sensitivity;
            smtp.OtherHeaders = otherHeaders;
            PutRecipientsBack();
            smtp.PutPartsBack();
        }

        // The lists know of groups, the entries of options and of an order across the types. Not by Count = 0, which would take
        // the recipient certificates along.
        private void PutRecipientsBack()
        {
            SetLists(lists[0], lists[1], lists[2]);
            List<MessageRecipient> now = smtp.MessageRecipients.ToList();
            if (now.Count == recipients.Count && now.Zip(recipients, Same).All(same => same))
            {
                for (int i = 0; i < now.Count; i++)
                {
                    now[i].Options = recipients[i].Options;
                }
                return;
            }
            SetLists("", "", "");
            foreach (MessageRecipient recipient in recipients)
            {
                smtp.MessageRecipients.Add(Copy(recipient));
            }
        }

        private void SetLists(string to, string cc, string bcc)
        {
            smtp.SendTo = to;
            smtp.Cc = cc;
            smtp.BCc = bcc;
        }

        private static bool Same(MessageRecipient one, MessageRecipient other)
        {
            return one.RecipientType == other.RecipientType && one.Address == other.Address && one.Name == other.Name;
        }

        private static MessageRecipient Copy(MessageRecipient entry)
        {
            return new MessageRecipient(entry.Address, entry.RecipientType) { Name = entry.Name, Options = entry.Options };
        }
    }
}
