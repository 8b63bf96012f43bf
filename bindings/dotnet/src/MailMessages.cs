// Sending a System.Net.Mail.MailMessage.

using System;
using System.Net.Mail;
using System.Threading;
using System.Threading.Tasks;

namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        private int sendsMail;

        /// <summary>
        /// Sends a <see cref="MailMessage"/>, by the connection and the settings of this object, as <see cref="Send"/> sends the
        /// message of the properties. Those play no part in it; event handlers find the mail's in them, and afterwards they are
        /// what they were.
        /// </summary>
        /// <remarks>
        /// Sender, when set, is also the envelope's sender. Recipients get the DeliveryNotificationOptions. The fields that
        /// MailMessage has properties for are taken from these, not from Headers. Priority High and Low go as Importance,
        /// Priority and X-Priority. The text forms are Body and the views: one plain, one HTML, and invitations (text/calendar
        /// with a method). An attachment with a Content-ID that is inline, or that the HTML names, goes beside the HTML. Streams
        /// are read from where they stand, left open, and set back when they can seek, so a message can be sent again.
        /// </remarks>
        /// <param name="message">The message; it stays the caller's, who disposes of it.</param>
        /// <exception cref="SsmtpException">As of <see cref="Send"/>; 603 for a header that cannot be sent.</exception>
        /// <exception cref="NotSupportedException">
        /// The message has a view of another type, a second one of the same type, or a linked resource with a ContentLink.
        /// </exception>
        public void SendMessage(MailMessage message)
        {
            if (message == null)
            {
                throw new ArgumentNullException(nameof(message));
            }
            if (Interlocked.Exchange(ref sendsMail, 1) != 0)
            {
                throw new SsmtpException(SsmtpErrorCodes.Busy, "SendMessage runs already");
            }
            try
            {
                using (var mail = new OutgoingMail(this, message))
                {
                    var own = new MessageState(this);
                    own.PutAside();
                    try
                    {
                        mail.Fill();
                        Send();
                    }
                    finally
                    {
                        PutBack(own);
                    }
                }
            }
            finally
            {
                Volatile.Write(ref sendsMail, 0);
            }
        }

        /// <summary>
        /// SendMessage on a thread of its own, where the event handlers run too. Cancelling interrupts it, and the task ends as
        /// cancelled.
        /// </summary>
        /// <param name="message">The message; it must not be changed or disposed of until the task has ended.</param>
        /// <param name="cancellationToken">Interrupts the operation when it is cancelled.</param>
        public Task SendMessageAsync(
            MailMessage message,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            return RunAsync(() => SendMessage(message), cancellationToken);
        }

        private static void PutBack(MessageState own)
        {
            try
            {
                own.PutBack();
            }
            catch (ObjectDisposedException)
            {
                // Somebody disposed of the component meanwhile: there is nothing to put back, and Send has said why it failed.
            }
        }
    }
}
