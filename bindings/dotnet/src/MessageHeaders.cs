// The header lines of the message, as they would be sent.

using System;
using System.Collections;
using System.Collections.Generic;

namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        private readonly HeaderList messageHeaders;

        /// <summary>The header lines in the order they are sent; empty until there is something to send.</summary>
        public HeaderList MessageHeaders
        {
            get { return messageHeaders; }
        }
    }

    /// <summary>One header line.</summary>
    public sealed class Header
    {
        /// <summary>An empty line.</summary>
        public Header()
            : this("", "")
        {
        }

        /// <summary>A line with its name and value.</summary>
        public Header(string field, string value)
        {
            Field = field ?? "";
            Value = value ?? "";
        }

        /// <summary>Name of the line.</summary>
        public string Field { get; }

        /// <summary>Value of the line, encoded and folded as it is sent.</summary>
        public string Value { get; }

        /// <summary>The line as it is sent.</summary>
        public override string ToString()
        {
            return Field + ": " + Value;
        }
    }

    /// <summary>The header lines of a message, to be read. Each read makes them anew from the properties.</summary>
    public sealed class HeaderList : IReadOnlyList<Header>
    {
        private readonly Ssmtp owner;

        internal HeaderList(Ssmtp owner)
        {
            this.owner = owner;
        }

        /// <summary>How many lines there are.</summary>
        public int Count
        {
            get
            {
                owner.Check(Native.ssmtp_get_message_header_count(owner.Handle, out int count));
                return count;
            }
        }

        /// <summary>The line at a place.</summary>
        public Header this[int index]
        {
            get
            {
                if (index < 0 || index >= Count)
                {
                    throw new ArgumentOutOfRangeException(nameof(index));
                }
                owner.Check(Native.ssmtp_get_message_header_field(owner.Handle, index, out IntPtr field));
                string name = Utf8.Take(field);
                owner.Check(Native.ssmtp_get_message_header_value(owner.Handle, index, out IntPtr value));
                return new Header(name, Utf8.Take(value));
            }
        }

        /// <summary>The lines one after another.</summary>
        public IEnumerator<Header> GetEnumerator()
        {
            int count = Count;
            for (int i = 0; i < count; i++)
            {
                yield return this[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator()
        {
            return GetEnumerator();
        }
    }
}
