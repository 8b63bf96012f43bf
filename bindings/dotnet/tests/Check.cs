using System;
using System.Collections;
using System.Globalization;
using System.Text;

namespace Ssmtp.Tests
{
    /// <summary>A test did not find what it expected.</summary>
    internal sealed class CheckFailed : Exception
    {
        internal CheckFailed(string message)
            : base(message)
        {
        }
    }

    internal static class Check
    {
        internal static void True(bool condition, string what)
        {
            if (!condition)
            {
                throw new CheckFailed("not so: " + what);
            }
        }

        internal static void Equal<T>(T expected, T actual, string what = "")
        {
            if (!StructuralComparisons.StructuralEqualityComparer.Equals(expected, actual))
            {
                throw new CheckFailed(what + " expected <" + Show(expected) + "> but found <" + Show(actual) + ">");
            }
        }

        internal static void Contains(string part, string whole)
        {
            if (whole.IndexOf(part, StringComparison.Ordinal) < 0)
            {
                throw new CheckFailed("<" + part + "> is not in <" + whole + ">");
            }
        }

        internal static void Lacks(string part, string whole)
        {
            if (whole.IndexOf(part, StringComparison.Ordinal) >= 0)
            {
                throw new CheckFailed("<" + part + "> is in <" + whole + ">");
            }
        }

        internal static T Throws<T>(Action action)
            where T : Exception
        {
            try
            {
                action();
            }
            catch (T error)
            {
                return error;
            }
            throw new CheckFailed(typeof(T).Name + " was not thrown");
        }

        /// <summary>The action must fail with this number.</summary>
        internal static SsmtpException Fails(int code, Action action)
        {
            SsmtpException error = Throws<SsmtpException>(action);
            Equal(code, error.Code, error.Message);
            True(error.Message.Length > 0, "the error has a text");
            Lacks("\n", error.Message);
            return error;
        }

        private static string Show(object value)
        {
            if (value is IEnumerable && !(value is string))
            {
                var text = new StringBuilder();
                foreach (object item in (IEnumerable)value)
                {
                    text.Append(Show(item)).Append(", ");
                }
                return text.ToString();
            }
            return Convert.ToString(value, CultureInfo.InvariantCulture);
        }
    }
}
