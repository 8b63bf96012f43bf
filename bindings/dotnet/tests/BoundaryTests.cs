// Handles that are none: every C function with NULL, with a dead handle and with a number that never was one.

using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Ssmtp.Tests
{
    public static partial class BoundaryTests
    {
        public static void every_declared_function_is_in_the_library()
        {
            Marshal.PrelinkAll(typeof(Native));
        }

        public static void no_handle_is_601()
        {
            All(OfHandle, new SsmtpHandle(IntPtr.Zero), 601);
        }

        public static void a_number_that_never_was_a_handle_is_608()
        {
            All(OfHandle, new SsmtpHandle(new IntPtr(0x12345678)), 608);
        }

        public static void a_deleted_handle_is_608()
        {
            SsmtpHandle live = Native.ssmtp_new_utf8();
            var dead = new SsmtpHandle(live.Id);
            live.Dispose();
            All(OfHandle, dead, 608);
            Check.Equal(608, Native.ssmtp_delete(dead.Id), "deleted twice:");
            Check.Equal(608, Native.ssmtp_last_error(dead.Id, out IntPtr _), "last error:");
            Check.Equal(0, Native.ssmtp_delete(IntPtr.Zero), "NULL:");
        }

        public static void no_certificate_is_601()
        {
            All(OfCert, SsmtpCertHandle.None, 601);
        }

        public static void a_deleted_certificate_is_608()
        {
            Check.Equal(0, Native.ssmtp_cert_new(out SsmtpCertHandle live));
            IntPtr pointer = live.DangerousGetHandle();
            live.Dispose();
            All(OfCert, new SsmtpCertHandle(pointer), 608);
            Check.Equal(608, Native.ssmtp_cert_delete(pointer), "deleted twice:");
        }

        public static void a_disposed_object_says_so()
        {
            var smtp = new Ssmtp();
            smtp.Dispose();
            smtp.Dispose();
            Check.Throws<ObjectDisposedException>(() => smtp.Subject.ToString());
            Check.Throws<ObjectDisposedException>(smtp.Send);
            Check.Throws<ObjectDisposedException>(() => smtp.MessageRecipients.Count.ToString());
            var certificate = new Certificate();
            certificate.Dispose();
            Check.Throws<ObjectDisposedException>(() => certificate.Subject.ToString());
        }

        public static void every_error_number_has_a_text()
        {
            foreach (System.Reflection.FieldInfo field in typeof(SsmtpErrorCodes).GetFields())
            {
                string text = Utf8.Read(Native.ssmtp_error_text((int)field.GetRawConstantValue()));
                Check.True(text.Length > 0, field.Name + " has a text");
            }
            Check.True(Utf8.Read(Native.ssmtp_error_text(123456)).Length > 0, "an unknown number has a text");
        }

        private static void All<T>(Dictionary<string, Func<T, int>> functions, T handle, int code)
        {
            Check.True(functions.Count > 20, "there are functions to call");
            foreach (KeyValuePair<string, Func<T, int>> function in functions)
            {
                Check.Equal(code, function.Value(handle), function.Key);
            }
        }
    }
}
