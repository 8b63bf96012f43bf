// What became of each recipient in the last sending.

using System;
using System.Collections.Generic;

namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        /// <summary>
        /// What the server said of each recipient in the last sending, in the order of the envelope; empty before the first one.
        /// The list is a picture of that moment and does not change any more.
        /// </summary>
        public IReadOnlyList<RecipientResult> RecipientResults
        {
            get
            {
                while (true)
                {
                    try
                    {
                        Check(Native.ssmtp_get_recipient_result_count(handle, out int count));
                        var results = new RecipientResult[count];
                        for (int i = 0; i < count; i++)
                        {
                            results[i] = ReadResult(i);
                        }
                        return results;
                    }
                    catch (SsmtpException error) when (error.Code == SsmtpErrorCodes.Index)
                    {
                        // The next sending began on another thread and took the results away: look again.
                    }
                }
            }
        }

        private RecipientResult ReadResult(int index)
        {
            Check(Native.ssmtp_get_recipient_result_address(handle, index, out IntPtr address));
            string recipient = Utf8.Take(address);
            Check(Native.ssmtp_get_recipient_result_phase(handle, index, out IntPtr phase));
            string from = Utf8.Take(phase);
            Check(Native.ssmtp_get_recipient_result_code(handle, index, out int code));
            Check(Native.ssmtp_get_recipient_result_enhanced_code(handle, index, out IntPtr enhanced));
            string status = Utf8.Take(enhanced);
            Check(Native.ssmtp_get_recipient_result_text(handle, index, out IntPtr text));
            string reply = Utf8.Take(text);
            Check(Native.ssmtp_get_recipient_result_accepted(handle, index, out int accepted));
            Check(Native.ssmtp_get_recipient_result_temporary(handle, index, out int temporary));
            return new RecipientResult(recipient, from, code, status, reply, accepted != 0, temporary != 0);
        }
    }

    /// <summary>What the server said of one recipient.</summary>
    public sealed class RecipientResult
    {
        internal RecipientResult(
            string address,
            string phase,
            int code,
            string enhancedCode,
            string text,
            bool accepted,
            bool temporary)
        {
            Address = address;
            Phase = phase;
            Code = code;
            EnhancedCode = enhancedCode;
            Text = text;
            Accepted = accepted;
            Temporary = temporary;
        }

        /// <summary>Address as the server was given it.</summary>
        public string Address { get; }

        /// <summary>
        /// What was answered last: <c>MAIL</c> (the sender was refused), <c>RCPT</c>, or <c>CONTENT</c> (the message itself).
        /// </summary>
        public string Phase { get; }

        /// <summary>Reply code that decided, such as 250 or 550; 0 when no reply came.</summary>
        public int Code { get; }

        /// <summary>Enhanced status code of the reply, such as <c>5.1.1</c> (RFC 3463), or empty.</summary>
        public string EnhancedCode { get; }

        /// <summary>The reply, all its lines in one.</summary>
        public string Text { get; }

        /// <summary>Whether the server took the message for this recipient.</summary>
        public bool Accepted { get; }

        /// <summary>Whether a later attempt may succeed: a 4xx reply, or none at all.</summary>
        public bool Temporary { get; }

        /// <summary>Address and reply.</summary>
        public override string ToString()
        {
            return Address + ": " + Text;
        }
    }
}
