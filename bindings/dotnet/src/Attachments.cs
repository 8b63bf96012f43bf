// What goes into the message beside the text: attachments, inline parts and the message stream.

using System;
using System.Collections.Generic;
using System.IO;

namespace Ssmtp
{
    public sealed partial class Ssmtp
    {
        // In the order they were added. What they hold for C is let go of with them.
        private readonly List<Added> parts = new List<Added>();
        private Added messageStream;

        /// <summary>
        /// Attaches a file, which is read while the message is sent (302 then when it cannot be opened). Attachments stay until
        /// <see cref="ClearAttachments"/> or <see cref="Reset"/>.
        /// </summary>
        /// <param name="path">Path of the file.</param>
        /// <param name="name">File name that the recipient sees; without one that of the file.</param>
        /// <param name="type">Media type, such as <c>image/png</c>; without one it is guessed by the name.</param>
        public void AddAttachment(string path, string name = "", string type = "")
        {
            byte[] file = Utf8.Bytes(path);
            byte[] shown = Utf8.Bytes(name);
            byte[] media = Utf8.Bytes(type);
            Add(new Added(() => Native.ssmtp_add_attachment_file(handle, file, shown, media)));
        }

        /// <summary>
        /// Attaches a copy of octets. A <c>text/calendar</c> with a <c>method</c> parameter and no name becomes an alternative of
        /// the text, which is where programs look for an invitation.
        /// </summary>
        /// <param name="data">The content.</param>
        /// <param name="name">File name that the recipient sees.</param>
        /// <param name="type">Media type; without one it is guessed by the name.</param>
        public void AddAttachment(byte[] data, string name = "", string type = "")
        {
            byte[] content = Copy(data);
            byte[] shown = Utf8.Bytes(name);
            byte[] media = Utf8.Bytes(type);
            Add(new Added(() => Native.ssmtp_add_attachment_data(handle, content, Octets.Length(content), shown, media)));
        }

        /// <summary>
        /// Attaches a stream, which is read from where it stands to its end while the message is sent, once, and closed then
        /// unless <c>CloseStreamAfterTransfer=False</c>. A read that throws stops the sending, and the method throws the exception.
        /// </summary>
        /// <param name="stream">The content.</param>
        /// <param name="name">File name that the recipient sees.</param>
        /// <param name="type">Media type; without one it is guessed by the name.</param>
        public void AddAttachment(Stream stream, string name = "", string type = "")
        {
            byte[] shown = Utf8.Bytes(name);
            byte[] media = Utf8.Bytes(type);
            AddStream(stream, (token, size) => Native.ssmtp_add_attachment_stream(
                handle, MessageStream.ReadStream, MessageStream.CloseStream, token, size, shown, media));
        }

        /// <summary>Adds a file that <see cref="MessageHtml"/> shows by its Content-ID; it is read while the message is sent.</summary>
        /// <param name="path">Path of the file.</param>
        /// <param name="cid">Content-ID, which the HTML names as <c>cid:ID</c>; printable ASCII.</param>
        /// <param name="type">Media type; without one it is guessed by the name of the file.</param>
        public void AddInline(string path, string cid, string type = "")
        {
            byte[] file = Utf8.Bytes(path);
            byte[] id = Utf8.Bytes(cid);
            byte[] media = Utf8.Bytes(type);
            Add(new Added(() => Native.ssmtp_add_inline_file(handle, file, id, media)));
        }

        /// <summary>Adds a copy of octets that <see cref="MessageHtml"/> shows by their Content-ID.</summary>
        /// <param name="data">The content.</param>
        /// <param name="cid">Content-ID, which the HTML names as <c>cid:ID</c>; printable ASCII.</param>
        /// <param name="type">Media type; without one <c>application/octet-stream</c>.</param>
        public void AddInline(byte[] data, string cid, string type = "")
        {
            byte[] content = Copy(data);
            byte[] id = Utf8.Bytes(cid);
            byte[] media = Utf8.Bytes(type);
            Add(new Added(() => Native.ssmtp_add_inline_data(handle, content, Octets.Length(content), id, media)));
        }

        /// <summary>
        /// Adds a stream that <see cref="MessageHtml"/> shows by its Content-ID; it is read as one that is attached.
        /// </summary>
        /// <param name="stream">The content.</param>
        /// <param name="cid">Content-ID, which the HTML names as <c>cid:ID</c>; printable ASCII.</param>
        /// <param name="type">Media type; without one <c>application/octet-stream</c>.</param>
        public void AddInline(Stream stream, string cid, string type = "")
        {
            byte[] id = Utf8.Bytes(cid);
            byte[] media = Utf8.Bytes(type);
            AddStream(stream, (token, size) => Native.ssmtp_add_inline_stream(
                handle, MessageStream.ReadStream, MessageStream.CloseStream, token, size, id, media));
        }

        /// <summary>Removes all attachments and inline parts. Their streams stay open.</summary>
        public void ClearAttachments()
        {
            lock (parts)
            {
                Check(Native.ssmtp_clear_attachments(handle));
                LetGoOfParts();
            }
        }

        /// <summary>
        /// Gives a stream that is read from where it stands to its end and sent as body after MessageText. It is closed then,
        /// unless <c>CloseStreamAfterTransfer=False</c>; null removes it. A read that throws stops the sending, and the method
        /// throws the exception.
        /// </summary>
        public void SetMessageStream(Stream messageStream)
        {
            Added next = messageStream == null
                ? null
                : Held(messageStream, (token, size) => Native.ssmtp_set_message_stream(
                    handle, MessageStream.ReadStream, MessageStream.CloseStream, token, size));
            lock (parts)
            {
                Do(next ?? new Added(RemoveMessageStream));
                LetGoOf(this.messageStream);
                this.messageStream = next;
            }
        }

        /// <summary>After Reset.</summary>
        private void LetGoOfEverything()
        {
            lock (parts)
            {
                LetGoOfParts();
                LetGoOf(messageStream);
                messageStream = null;
            }
        }

        /// <summary>After AttachedFile was set, which takes the place of the message stream.</summary>
        private void LetGoOfMessageStream(string attachedFile)
        {
            if (!string.IsNullOrEmpty(attachedFile))
            {
                lock (parts)
                {
                    LetGoOf(messageStream);
                    messageStream = null;
                }
            }
        }

        private void LetGoOfParts()
        {
            parts.ForEach(LetGoOf);
            parts.Clear();
        }

        private void LetGoOf(Added part)
        {
            if (part != null && part.Stream != IntPtr.Zero)
            {
                handle.Release(part.Stream);
            }
        }

        private int RemoveMessageStream()
        {
            return Native.ssmtp_set_message_stream(handle, null, null, IntPtr.Zero, -1);
        }

        private void AddStream(Stream stream, Func<IntPtr, long, int> call)
        {
            if (stream == null)
            {
                throw new ArgumentNullException(nameof(stream));
            }
            Add(Held(stream, call));
        }

        private void Add(Added part)
        {
            lock (parts)
            {
                Do(part);
                parts.Add(part);
            }
        }

        private void Do(Added part)
        {
            try
            {
                Check(part.Call());
            }
            catch
            {
                LetGoOf(part);
                throw;
            }
        }

        private Added Held(Stream stream, Func<IntPtr, long, int> call)
        {
            if (!stream.CanRead)
            {
                throw new ArgumentException("the stream cannot be read", nameof(stream));
            }
            IntPtr token = handle.Hold(stream);
            return new Added(() => call(token, MessageStream.SizeOf(stream)), token);
        }

        // C keeps the octets as they are now; what is added again must be the same.
        private static byte[] Copy(byte[] data)
        {
            if (data == null)
            {
                throw new ArgumentNullException(nameof(data));
            }
            return (byte[])data.Clone();
        }

        /// <summary>Something that C's message was given, and how to give it once more.</summary>
        private sealed class Added
        {
            internal Added(Func<int> call, IntPtr stream = default(IntPtr))
            {
                Call = call;
                Stream = stream;
            }

            internal Func<int> Call { get; }

            /// <summary>By which C knows the stream; zero without one.</summary>
            internal IntPtr Stream { get; }
        }
    }
}
