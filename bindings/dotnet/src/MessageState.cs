// The message of a component, put aside and back.

namespace Ssmtp
{
    /// <summary>
    /// A component's own message, while another one is sent in its place. All of it is aside, with what Sign and Encrypt made of it.
    /// </summary>
    internal sealed class MessageState
    {
        private readonly Ssmtp smtp;
        private readonly string allowEmptyTo;

        internal MessageState(Ssmtp smtp)
        {
            this.smtp = smtp;
            allowEmptyTo = smtp.Config("AllowEmptyTo");
        }

        /// <summary>Leaves the component without a message.</summary>
        internal void PutAside()
        {
            smtp.PutMessageAside();
        }

        /// <summary>Makes the component's message what it was.</summary>
        internal void PutBack()
        {
            smtp.PutMessageBack();
            smtp.Config("AllowEmptyTo=" + allowEmptyTo);
        }
    }
}
