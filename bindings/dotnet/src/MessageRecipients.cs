// The recipients as a list of objects.

using System;
using System.Collections;
using System.Collections.Generic;

namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        private readonly MessageRecipientList messageRecipients;

        /// <summary>
        /// All recipients. SendTo, Cc and BCc are views of the same list: setting one of them replaces the entries of that type.
        /// </summary>
        public MessageRecipientList MessageRecipients
        {
            get { return messageRecipients; }
        }
    }

    /// <summary>
    /// One recipient: free, or an entry of a component's list, by its place. What is set in an entry counts at once.
    /// </summary>
    public sealed class MessageRecipient
    {
        private Ssmtp owner;
        private int index;
        private string address = "";
        private string name = "";
        private string options = "";
        private MessageRecipientTypes recipientType;

        /// <summary>An empty recipient of the type To.</summary>
        public MessageRecipient()
        {
        }

        /// <summary>A recipient of the type To.</summary>
        public MessageRecipient(string address)
            : this(address, MessageRecipientTypes.rtTo)
        {
        }

        /// <summary>A recipient of the type given by its number.</summary>
        public MessageRecipient(string address, int recipientType)
            : this(address, (MessageRecipientTypes)recipientType)
        {
        }

        /// <summary>A recipient of the type given.</summary>
        public MessageRecipient(string address, MessageRecipientTypes recipientType)
        {
            this.address = address ?? "";
            this.recipientType = recipientType;
        }

        internal MessageRecipient(Ssmtp owner, int index)
        {
            Attach(owner, index);
        }

        /// <summary>Mail address without display name; an empty one is not sent to.</summary>
        public string Address
        {
            get
            {
                if (owner == null)
                {
                    return address;
                }
                owner.Check(Native.ssmtp_get_message_recipient_address(owner.Handle, index, out IntPtr value));
                return Utf8.Take(value);
            }
            set
            {
                if (owner == null)
                {
                    address = value ?? "";
                    return;
                }
                owner.Check(Native.ssmtp_set_message_recipient_address(owner.Handle, index, Utf8.Bytes(value)));
            }
        }

        /// <summary>Display name, for the header.</summary>
        public string Name
        {
            get
            {
                if (owner == null)
                {
                    return name;
                }
                owner.Check(Native.ssmtp_get_message_recipient_name(owner.Handle, index, out IntPtr value));
                return Utf8.Take(value);
            }
            set
            {
                if (owner == null)
                {
                    name = value ?? "";
                    return;
                }
                owner.Check(Native.ssmtp_set_message_recipient_name(owner.Handle, index, Utf8.Bytes(value)));
            }
        }

        /// <summary>Parameters for the RCPT command, such as <c>NOTIFY=SUCCESS,FAILURE</c> (RFC 3461).</summary>
        public string Options
        {
            get
            {
                if (owner == null)
                {
                    return options;
                }
                owner.Check(Native.ssmtp_get_message_recipient_options(owner.Handle, index, out IntPtr value));
                return Utf8.Take(value);
            }
            set
            {
                if (owner == null)
                {
                    options = value ?? "";
                    return;
                }
                owner.Check(Native.ssmtp_set_message_recipient_options(owner.Handle, index, Utf8.Bytes(value)));
            }
        }

        /// <summary>To, Cc or BCc.</summary>
        public MessageRecipientTypes RecipientType
        {
            get
            {
                if (owner == null)
                {
                    return recipientType;
                }
                owner.Check(Native.ssmtp_get_message_recipient_type(owner.Handle, index, out int value));
                return (MessageRecipientTypes)value;
            }
            set
            {
                if (owner == null)
                {
                    recipientType = value;
                    return;
                }
                owner.Check(Native.ssmtp_set_message_recipient_type(owner.Handle, index, (int)value));
            }
        }

        internal bool IsFree
        {
            get { return owner == null; }
        }

        internal void Attach(Ssmtp list, int place)
        {
            owner = list;
            index = place;
        }

        internal void CopyFrom(MessageRecipient other)
        {
            Address = other.Address;
            Name = other.Name;
            Options = other.Options;
            RecipientType = other.RecipientType;
        }
    }

    /// <summary>The recipients of a message, in the order they are named to the server.</summary>
    public sealed class MessageRecipientList : IList<MessageRecipient>, IReadOnlyList<MessageRecipient>
    {
        private readonly Ssmtp owner;
        private readonly object changes = new object();

        internal MessageRecipientList(Ssmtp owner)
        {
            this.owner = owner;
        }

        /// <summary>How many there are. A smaller number removes the last ones, a larger one appends empty entries.</summary>
        public int Count
        {
            get
            {
                owner.Check(Native.ssmtp_get_message_recipient_count(owner.Handle, out int count));
                return count;
            }
            set { owner.Check(Native.ssmtp_set_message_recipient_count(owner.Handle, value)); }
        }

        /// <summary>The entry at a place; setting it copies the values.</summary>
        public MessageRecipient this[int index]
        {
            get
            {
                Demand(index, Count);
                return new MessageRecipient(owner, index);
            }
            set
            {
                lock (changes)
                {
                    Demand(index, Count);
                    new MessageRecipient(owner, index).CopyFrom(value);
                }
            }
        }

        /// <summary>
        /// Appends a recipient. A free one becomes the entry, so what is set in it later counts; of an entry, a copy is appended.
        /// </summary>
        public void Add(MessageRecipient item)
        {
            if (item == null)
            {
                throw new ArgumentNullException(nameof(item));
            }
            lock (changes)
            {
                int index = Count;
                Append(item, index);
                if (item.IsFree)
                {
                    item.Attach(owner, index);
                }
            }
        }

        /// <summary>Appends a recipient and returns its entry.</summary>
        public MessageRecipient Add(
            string address,
            MessageRecipientTypes recipientType = MessageRecipientTypes.rtTo,
            string name = "",
            string options = "")
        {
            var item = new MessageRecipient(address, recipientType) { Name = name, Options = options };
            Add(item);
            return item;
        }

        /// <summary>Puts a copy of a recipient before the entry at a place.</summary>
        public void Insert(int index, MessageRecipient item)
        {
            if (item == null)
            {
                throw new ArgumentNullException(nameof(item));
            }
            lock (changes)
            {
                int count = Count;
                Demand(index, count + 1);
                var values = new MessageRecipient();
                values.CopyFrom(item);
                Append(values, count);
                for (int i = count; i > index; i--)
                {
                    new MessageRecipient(owner, i).CopyFrom(new MessageRecipient(owner, i - 1));
                }
                new MessageRecipient(owner, index).CopyFrom(values);
            }
        }

        /// <summary>Removes all recipients, and the recipient certificates with them.</summary>
        public void Clear()
        {
            lock (changes)
            {
                Count = 0;
            }
        }

        /// <summary>Removes the entry at a place; those behind it move up.</summary>
        public void RemoveAt(int index)
        {
            lock (changes)
            {
                int last = Count - 1;
                Demand(index, last + 1);
                for (int i = index; i < last; i++)
                {
                    new MessageRecipient(owner, i).CopyFrom(new MessageRecipient(owner, i + 1));
                }
                Count = last;
            }
        }

        /// <summary>Removes the first entry with the same values.</summary>
        public bool Remove(MessageRecipient item)
        {
            lock (changes)
            {
                int index = IndexOf(item);
                if (index >= 0)
                {
                    RemoveAt(index);
                }
                return index >= 0;
            }
        }

        /// <summary>The place of the first entry with the same values, or -1.</summary>
        public int IndexOf(MessageRecipient item)
        {
            int index = 0;
            foreach (MessageRecipient entry in this)
            {
                if (item != null && Same(entry, item))
                {
                    return index;
                }
                index++;
            }
            return -1;
        }

        /// <summary>Whether there is an entry with the same values.</summary>
        public bool Contains(MessageRecipient item)
        {
            return IndexOf(item) >= 0;
        }

        /// <summary>Copies the entries into an array.</summary>
        public void CopyTo(MessageRecipient[] array, int arrayIndex)
        {
            // Not by a List, whose constructor calls this.
            int index = arrayIndex;
            foreach (MessageRecipient entry in this)
            {
                array[index++] = entry;
            }
        }

        /// <summary>The entries one after another.</summary>
        public IEnumerator<MessageRecipient> GetEnumerator()
        {
            int count = Count;
            for (int i = 0; i < count; i++)
            {
                yield return new MessageRecipient(owner, i);
            }
        }

        IEnumerator IEnumerable.GetEnumerator()
        {
            return GetEnumerator();
        }

        bool ICollection<MessageRecipient>.IsReadOnly
        {
            get { return false; }
        }

        // All or nothing: a value that is refused leaves no half of an entry behind.
        private void Append(MessageRecipient item, int index)
        {
            try
            {
                new MessageRecipient(owner, index).CopyFrom(item);
            }
            catch
            {
                if (Count > index)
                {
                    Count = index;
                }
                throw;
            }
        }

        private static bool Same(MessageRecipient a, MessageRecipient b)
        {
            return a.RecipientType == b.RecipientType && a.Address == b.Address && a.Name == b.Name && a.Options == b.Options;
        }

        private static void Demand(int index, int count)
        {
            if (index < 0 || index >= count)
            {
                throw new ArgumentOutOfRangeException(nameof(index));
            }
        }
    }
}
